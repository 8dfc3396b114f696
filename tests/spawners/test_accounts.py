"""Where root runs Podium, each workspace has an account of its own, and the agent needs few of root's rights."""

import io
import json
import os
import signal
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hub.clock import new_id
from hub.errors import CannotStart
from hub.settings import ROOT
from hub.spawners.base import Ending, Observation, StartSpec, State
from hub.spawners.local.accounts import Accounts, Range, uids_of
from hub.spawners.local.folders import Folders
from hub.spawners.local.holders import HELD
from hub.spawners.local.workspaces import Workspaces
from tests.isolation.machines import MACHINES
from tests.spawners.far_side import MIB, ended, observed, ready, until
from tests.spawners.local_side import LocalFarSide, lives
from tests.support.ci import absent

ONE, TWO, THREE = (Range(2_000_000_001, 2_000_000_000 + last) for last in (1, 2, 3))


@pytest.fixture(autouse=True)
def _root() -> None:
    if os.geteuid() != 0:
        absent("Only root gives accounts away")


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    folders = Folders(tmp_path / "data", tmp_path / "runtime")
    folders.prepare()
    return folders


def made(folders: Folders, numbers: Range, workspace_id: str = "") -> Path:
    return Workspaces(folders, Accounts(numbers, folders)).make(workspace_id or new_id())


@contextmanager
def played(name: str) -> Iterator[LocalFarSide]:
    """The machine of that name."""
    machine = next(one for one in MACHINES if one.name == name)
    with machine.folder() as (folder, options):
        far = LocalFarSide(folder / "data", lesser=machine.lesser, **options)
        try:
            yield far
        finally:
            far.close()


@pytest.fixture(params=["root", "container"])
def far(request: pytest.FixtureRequest) -> Iterator[LocalFarSide]:
    with played(request.param) as far:
        yield far


@pytest.mark.case("A9-9")
def test_an_environment_runs_as_an_account_of_its_own_which_its_workspace_keeps(far: LocalFarSide) -> None:
    one, other = far.spec(), far.spec()
    for spec in (one, other):
        ready(far, spec)
        assert far.run(spec.start_id, "import os; open('file', 'w').write('6'); result = os.getgroups()") == "[]"
    told = "import os; result = [os.getuid(), os.getgid(), os.stat('file').st_uid, os.stat(os.environ['TMPDIR']).st_uid]"
    accounts = {far.run(spec.start_id, told) for spec in (one, other)}
    assert len(accounts) == 2
    assert "0" not in ", ".join(accounts).split(", ")
    os.kill(far.agent(), signal.SIGKILL)
    far.spawner.stop(one.start_id)
    ended(far, one.start_id)
    again = far.spec(workspace_id=one.workspace_id)
    ready(far, again)
    assert far.run(again.start_id, told) in accounts
    assert far.run(again.start_id, "result = open('file').read()") == "6"


def test_a_workspace_is_measured_packed_and_deleted_whoever_it_belongs_to(far: LocalFarSide) -> None:
    spec = far.spec()
    ready(far, spec)
    far.run(
        spec.start_id, "import os; os.makedirs('a/b'); open('a/b/file', 'wb').write(bytes(1024 * 1024)); os.chmod('a/b', 0)"
    )
    assert MIB <= far.spawner.workspace_size(spec.workspace_id).used < 2 * MIB
    assert far.run(spec.start_id, "import os; result = os.stat('a/b').st_mode & 0o777") == "0"
    far.run(spec.start_id, "import os; os.chmod('a/b', 0o700); os.chmod('.', 0)")
    assert far.spawner.workspace_size(spec.workspace_id).used >= MIB
    with tarfile.open(fileobj=io.BytesIO(b"".join(far.spawner.workspace_archive(spec.workspace_id)))) as packed:
        assert [member.name for member in packed.getmembers()] == ["a", "a/b", "a/b/file"]
    used = until(lambda: [usage for usage in far.spawner.usage() if usage.start_id == spec.start_id])[0]
    assert used.memory > MIB
    far.spawner.stop(spec.start_id)
    ended(far, spec.start_id)
    far.spawner.forget(spec.start_id)
    far.spawner.delete_workspace(spec.workspace_id)
    until(lambda: not os.listdir(far.folders.trash) and not os.listdir(far.folders.workspaces))  # noqa: PTH208


@pytest.mark.case("A9-9")
def test_what_takes_more_memory_than_it_may_is_ended_and_so_is_what_a_killed_supervisor_leaves(far: LocalFarSide) -> None:
    greedy, orphan = far.spec(memory=100 * MIB), far.spec()
    for spec in (greedy, orphan):
        ready(far, spec)
    far.run(orphan.start_id, "import subprocess, os; child = subprocess.Popen(['sleep', '1000'], env={}); result = child.pid")
    server = far.supervisor(orphan.start_id)["server"]
    os.kill(far.supervisor(orphan.start_id)["pid"], signal.SIGKILL)
    assert _exit(far, orphan.start_id) is Ending.KILLED
    until(lambda: not lives(server) and far.processes(orphan.start_id) == 0)
    grow = "import sys, threading; threading.Timer(0.2, lambda: sys.modules.update(x=b'x' * 200_000_000)).start()"
    far.run(greedy.start_id, grow)
    assert _exit(far, greedy.start_id) is Ending.OUT_OF_MEMORY


HIDES = """
import os, subprocess, sys
closed = "import ctypes; ctypes.CDLL(None).prctl(4, 0, 0, 0, 0); "
ended = "import ctypes, os, threading, time; threading.Thread(target=time.sleep, args=(120,)).start(); "
for name, code in (
    ("program", closed + "open('program', 'w').close(); import time; time.sleep(120)"),
    ("thread", ended + "open('thread', 'w').close(); ctypes.CDLL(None).pthread_exit(None)"),
):
    subprocess.Popen([sys.executable, "-c", code], env={}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
if os.fork() == 0:
    exec(closed + "open('fork', 'w').close(); import time; time.sleep(120); os._exit(0)")
"""
"""Starts a program and a fork that close themselves to whoever looks, and a program whose first thread ends."""


@pytest.mark.case("A9-9")
def test_nothing_outlives_a_killed_supervisor_however_it_hides_and_the_next_start_is_spared(far: LocalFarSide) -> None:
    spec, neighbour = far.spec(), far.spec()
    for one in (spec, neighbour):
        ready(far, one)
        far.run(one.start_id, HIDES)
        until(lambda one=one: {"program", "thread", "fork"} <= _names(far, one))  # type: ignore[misc]
    account, other = (_account(far, one) for one in (spec, neighbour))
    until(lambda: [len(threads_of(one)) for one in (account, other)] == [4, 4])
    os.kill(far.agent(), signal.SIGKILL)
    os.kill(far.supervisor(spec.start_id)["pid"], signal.SIGKILL)
    again = until(lambda: _began(far, spec.workspace_id))
    assert _exit(far, spec.start_id) is Ending.KILLED
    assert threads_of(account) == {far.supervisor(again)["server"]}
    assert far.run(again, "result = 'untouched'") == "untouched"
    assert len(threads_of(other)) == 4


@pytest.mark.case("A9-9")
def test_what_runs_is_spared_where_the_end_of_the_start_before_it_could_not_be_written_down(far: LocalFarSide) -> None:
    first, second = sorted((new_id(), new_id()))  # the next agent comes to the one that is dead before the other
    before = far.spec(start_id=first)
    ready(far, before)
    os.kill(far.supervisor(first)["pid"], signal.SIGKILL)
    ended(far, first)
    ready(far, far.spec(start_id=second, workspace_id=before.workspace_id))
    os.kill(far.agent(), signal.SIGKILL)
    far.folders.start(first).exit.unlink()
    assert _exit(far, first) is Ending.KILLED
    assert far.run(second, "result = 'untouched'") == "untouched"


def _names(far: LocalFarSide, spec: StartSpec) -> set[str]:
    return set(os.listdir(far.folders.workspace(spec.workspace_id)))  # noqa: PTH208


def _account(far: LocalFarSide, spec: StartSpec) -> int:
    return far.folders.workspace(spec.workspace_id).stat().st_uid


def _began(far: LocalFarSide, workspace_id: str) -> str:
    """The new start that has the workspace now; empty where another one still has it."""
    spec = far.spec(workspace_id=workspace_id)
    far.spawner.start(spec)
    seen = until(lambda: _settled(far, spec))
    assert seen.state is State.READY or HELD in str(seen.exit)
    return spec.start_id if seen.state is State.READY else ""


def _settled(far: LocalFarSide, spec: StartSpec) -> Observation | None:
    seen = observed(far, spec.start_id)
    return seen if seen and seen.state is not State.PENDING else None


def threads_of(account: int) -> set[int]:
    """The numbers of the account's processes that have a thread which runs, found without asking Podium."""
    states = {path: _state_and_owner(path) for path in Path("/proc").glob("[0-9]*/task/[0-9]*/status")}
    return {int(path.parts[2]) for path, (state, owner) in states.items() if owner == account and state not in "ZX"}


def _state_and_owner(path: Path) -> tuple[str, int]:
    try:
        fields = dict(line.split(":", 1) for line in path.read_text(errors="replace").splitlines())
    except OSError:
        return "X", 0
    return fields["State"].split()[0], int(fields["Uid"].split()[0])


@pytest.mark.case("A9-9")
def test_memory_counts_also_of_a_process_that_closes_itself_to_whoever_looks(far: LocalFarSide) -> None:
    spec = far.spec(memory=100 * MIB)
    ready(far, spec)
    grow = "import sys, threading; threading.Timer(0.2, lambda: sys.modules.update(x=b'x' * 200_000_000)).start()"
    far.run(spec.start_id, f"import ctypes; ctypes.CDLL(None).prctl(4, 0, 0, 0, 0); {grow}")
    assert _exit(far, spec.start_id) is Ending.OUT_OF_MEMORY


@pytest.mark.case("A9-9")
def test_who_looks_as_an_account_is_not_the_account_s_to_signal(folders: Folders) -> None:
    workspace = made(folders, ONE)
    asked = (
        "import pathlib, sys; from hub.spawners.local import as_owner\n"
        "from tests.spawners.test_accounts import accounts_of_the_job\n"
        "sys.stdout.buffer.write(b''.join(as_owner._parts(pathlib.Path(sys.argv[1]), accounts_of_the_job)))"
    )
    told = json.loads(subprocess.check_output([sys.executable, "-c", asked, workspace], cwd=ROOT))
    assert told == {"Uid": [0, 0, 0, ONE.first], "Gid": [0, 0, 0, ONE.first], "Groups": []}


def accounts_of_the_job(_top: Path) -> Iterator[bytes]:
    fields = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    yield json.dumps({name: [int(part) for part in fields[name].split()] for name in ("Uid", "Gid", "Groups")}).encode()


def _exit(far: LocalFarSide, start_id: str) -> Ending:
    exit_ = ended(far, start_id).exit
    assert exit_
    return exit_.why


def test_where_other_accounts_cannot_read_the_code_there_are_none_and_the_sentence_says_why(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    far = LocalFarSide(tmp_path / "data", lesser=("--no-namespaces",))
    try:
        said = until(lambda: found if "being tried" not in (found := far.spawner.isolation()) else "")
        assert "Landlock" in said
        assert "not by user" in said
        assert "is closed to other accounts" in said
    finally:
        far.close()


def test_a_workspace_from_before_is_handed_over_but_for_what_has_another_name_outside(folders: Folders, tmp_path: Path) -> None:
    workspace = folders.workspace(new_id())
    (workspace / "deep" / "er").mkdir(parents=True)
    for name in ("file", "deep/er/file"):
        (workspace / name).write_text("6")
    (workspace / "inside").hardlink_to(workspace / "file")
    (workspace / "link").symlink_to(tmp_path)
    (tmp_path / "the hub's own").write_text("secret")
    (workspace / "stolen").hardlink_to(tmp_path / "the hub's own")
    made(folders, ONE, workspace.name)
    names = ("", "deep", "deep/er", "deep/er/file", "file", "inside", "link", "stolen")
    assert {(workspace / name).lstat().st_uid for name in names[:-1]} == {ONE.first}
    assert (workspace / "stolen").lstat().st_uid == 0
    assert tmp_path.lstat().st_uid == 0


@pytest.mark.case("A9-9")
def test_a_number_is_not_given_anew_while_a_file_of_it_is_left(folders: Folders) -> None:
    first, second = made(folders, TWO), made(folders, TWO)
    assert {first.stat().st_uid, second.stat().st_uid} == {TWO.first, TWO.last}
    with pytest.raises(OSError, match="ENVIRONMENT_UIDS"):
        made(folders, TWO)
    shared = Path("/dev/shm") / f"podium-test-{new_id()}"
    shared.touch()
    try:
        os.chown(shared, THREE.last, THREE.last)
        with pytest.raises(OSError, match="ENVIRONMENT_UIDS"):
            made(folders, THREE)
    finally:
        shared.unlink()
    assert made(folders, THREE).stat().st_uid == THREE.last


@pytest.mark.parametrize("text", ["", "7", "0-9", "9-7", "a-b", "1-99999999999", "0-70000"])
def test_what_is_no_range_of_nobody_s_numbers_is_refused(text: str) -> None:
    with pytest.raises(CannotStart, match="ENVIRONMENT_UIDS"):
        uids_of(text)


def test_a_range_with_a_person_of_this_machine_in_it_is_refused() -> None:
    with pytest.raises(CannotStart, match="holds the number of"):
        uids_of("1-70000")

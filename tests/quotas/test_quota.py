"""Where the file system has quotas of users, a workspace takes no more of the disk than it was launched with."""

import ctypes
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from hub.spawners.base import Size, StartSpec
from hub.spawners.local import quota
from tests.isolation.machines import MACHINES, Machine
from tests.spawners.far_side import MIB, ended, ready, until
from tests.spawners.local_side import LocalFarSide
from tests.support.ci import absent

KIB = 1024
HELD, MEASURED = "held by the file system's quota", "held by nothing"
WRITE = """
import errno
written, why = 0, ''
with open({path!r}, 'wb', buffering=0) as file:
    try:
        while written < {most}: written += file.write(bytes(4096))
    except OSError as error: why = errno.errorcode[error.errno]
result = f'{{written}} {{why}}'
"""
MAKE_FILES = """
import errno
try:
    for number in range(1000): open(str(number), 'w').close()
    result = 'no limit'
except OSError as error: result = f'{number} {errno.errorcode[error.errno]}'
"""


@pytest.fixture(autouse=True)
def _root() -> None:
    if os.geteuid() != 0:
        absent("Only root mounts file systems and sets quotas")
    if shutil.which("mkfs.ext4") is None:
        absent("mkfs.ext4 is missing: install e2fsprogs")


@contextmanager
def disk(folder: Path, options: str = "loop,usrquota") -> Iterator[Path]:
    """An ext4 of 64 MiB that counts what each user has, mounted there."""
    image = folder.with_suffix(".ext4")
    with image.open("wb") as file:
        file.truncate(64 * MIB)
    _run("mkfs.ext4", "-q", "-O", "quota", "-E", "quotatype=usrquota", str(image))
    with mounted("-o", options, image, folder):
        yield folder


@contextmanager
def mounted(*what: object) -> Iterator[None]:
    folder = Path(str(what[-1]))
    folder.mkdir(parents=True, exist_ok=True)
    tried = subprocess.run(["mount", *map(str, what)], capture_output=True, text=True, check=False)
    if tried.returncode != 0:
        absent(f"This kernel mounts no ext4 with quotas, `make test-quota` brings one: {tried.stderr.splitlines()[0]}")
    try:
        folder.chmod(0o711)
        yield
    finally:
        until(lambda: subprocess.run(["umount", folder], capture_output=True, check=False).returncode == 0)


def _run(*command: str) -> None:
    subprocess.run(command, check=True)


@contextmanager
def side(data: Path, **changes: Any) -> Iterator[LocalFarSide]:
    far = LocalFarSide(data, **changes)
    try:
        yield far
    finally:
        far.close()


@pytest.fixture(scope="module")
def on_quotas(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalFarSide]:
    """Its data folder lies on a file system with quotas."""
    with disk(tmp_path_factory.mktemp("quotas") / "disk") as folder, side(folder / "data") as far:
        yield far


def write(far: LocalFarSide, spec: StartSpec, path: str, most: int = 40 * MIB) -> tuple[int, str]:
    """How many bytes went into a new file there, and the error's name that ended it."""
    written, _, why = far.run(spec.start_id, WRITE.format(path=path, most=most)).partition(" ")
    return int(written), why


def end(far: LocalFarSide, spec: StartSpec) -> None:
    far.spawner.stop(spec.start_id)
    ended(far, spec.start_id)
    far.spawner.forget(spec.start_id)


def limits_of(far: LocalFarSide, account: int) -> tuple[int, int]:
    """Blocks and files, as the kernel says."""
    found = quota._Quota()
    with quota._opened(far.folders.workspaces) as descriptor:
        quota._ask(descriptor, quota._GET, account, ctypes.byref(found))
    return found.blocks, found.files


def test_a_workspace_takes_as_much_as_it_was_launched_with_and_a_neighbour_writes_on(on_quotas: LocalFarSide) -> None:
    far = on_quotas
    full, neighbour = far.spec(storage=8 * MIB), far.spec(storage=8 * MIB)
    for spec in (full, neighbour):
        ready(far, spec)
    written, why = write(far, full, "fill")
    assert why == "EDQUOT"
    assert 8 * MIB - 100 * KIB < written <= 8 * MIB
    assert write(far, full, "more") == (0, "EDQUOT")
    assert write(far, neighbour, "fill", 4 * MIB) == (4 * MIB, "")
    far.run(full.start_id, "import os; os.remove('fill')")
    assert write(far, full, "again", 4 * MIB) == (4 * MIB, "")
    for spec in (full, neighbour):
        end(far, spec)


def test_a_full_workspace_is_launched_and_a_larger_size_reaches_the_next_run(on_quotas: LocalFarSide) -> None:
    far = on_quotas
    first = far.spec(storage=4 * MIB)
    ready(far, first)
    assert write(far, first, "fill")[1] == "EDQUOT"
    end(far, first)
    same, larger = (far.spec(workspace_id=first.workspace_id, storage=size * MIB) for size in (4, 8))
    ready(far, same)
    assert write(far, same, "more") == (0, "EDQUOT")
    end(far, same)
    ready(far, larger)
    written, why = write(far, larger, "more")
    assert why == "EDQUOT"
    assert 4 * MIB - 100 * KIB < written <= 4 * MIB + 8 * KIB
    end(far, larger)


def test_what_the_quota_leaves_a_workspace_is_its_capacity_so_a_full_one_may_be_launched_and_tidied(
    on_quotas: LocalFarSide,
) -> None:
    far = on_quotas
    spec = far.spec(storage=4 * MIB)
    assert far.spawner.workspace_size(spec.workspace_id) == Size(0)
    ready(far, spec)
    write(far, spec, "fill", 1 * MIB)
    assert far.spawner.workspace_size(spec.workspace_id) == Size(1 * MIB, 4 * MIB)
    end(far, spec)


def test_temporary_files_count_too(on_quotas: LocalFarSide) -> None:
    far = on_quotas
    spec = far.spec(storage=4 * MIB)
    ready(far, spec)
    temporary = far.run(spec.start_id, "import os; result = os.environ['TMPDIR']")
    written, why = write(far, spec, f"{temporary}/fill")
    assert why == "EDQUOT"
    assert written <= 4 * MIB
    assert write(far, spec, "fill") == (0, "EDQUOT")
    end(far, spec)


def test_empty_files_have_a_number_since_a_file_system_may_run_out_of_those_too(on_quotas: LocalFarSide) -> None:
    far = on_quotas
    spec = far.spec(storage=1 * MIB)
    ready(far, spec)
    number, why = far.run(spec.start_id, MAKE_FILES).split()
    assert why == "EDQUOT"
    assert 256 - 20 < int(number) < 256
    end(far, spec)


def test_a_deleted_workspace_frees_the_disk_and_its_account_has_no_quota_any_more(on_quotas: LocalFarSide) -> None:
    far = on_quotas
    spec = far.spec(storage=8 * MIB)
    ready(far, spec)
    account = int(far.run(spec.start_id, "import os; result = os.getuid()"))
    write(far, spec, "fill")
    end(far, spec)
    assert limits_of(far, account) == (8 * KIB, 2 * KIB)
    before = shutil.disk_usage(far.folders.workspaces).free
    far.spawner.delete_workspace(spec.workspace_id)
    until(lambda: shutil.disk_usage(far.folders.workspaces).free > before + 7 * MIB)
    assert limits_of(far, account) == (0, 0)


def test_what_has_no_account_of_its_own_is_never_held(on_quotas: LocalFarSide) -> None:
    """A workspace from before accounts is root's, and is deleted like any other."""
    far = on_quotas
    spec = far.spec()
    far.folders.workspace(spec.workspace_id).mkdir(mode=0o700)
    before = limits_of(far, 0)
    far.spawner.delete_workspace(spec.workspace_id)
    until(lambda: not any(far.folders.workspaces.glob("deleted-*")))
    assert limits_of(far, 0) == before == (0, 0)


def test_where_the_quota_cannot_be_set_the_environment_is_launched_and_the_log_says_so(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    with disk(data / "workspaces") as workspaces, side(data) as far:
        first = far.spec()
        ready(far, first)
        end(far, first)
        _run("mount", "-o", "remount,ro", str(workspaces))
        ready(far, far.spec(workspace_id=first.workspace_id))
        assert "cannot be set: Read-only file system" in far.folders.agent_log.read_text()


def test_the_sentence_says_that_a_quota_holds_the_disk(on_quotas: LocalFarSide) -> None:
    assert HELD in on_quotas.spawner.about()["limits"]


def test_where_a_file_system_counts_and_holds_nobody_the_sentence_says_so(tmp_path: Path) -> None:
    with disk(tmp_path / "disk", "loop,noquota") as folder, side(folder / "data") as far:
        assert MEASURED in far.spawner.about()["limits"]


def test_where_a_file_system_has_no_quotas_the_sentence_says_so_and_environments_run(tmp_path: Path) -> None:
    with mounted("-t", "tmpfs", "podium-test", tmp_path / "disk"), side(tmp_path / "disk" / "data") as far:
        assert MEASURED in far.spawner.about()["limits"]
        spec = far.spec(storage=1 * MIB)
        ready(far, spec)
        assert write(far, spec, "fill", 4 * MIB) == (4 * MIB, "")


def test_where_root_lacks_the_right_to_set_quotas_the_sentence_says_so_and_environments_run() -> None:
    container = _container()
    with container.folder() as (folder, options):
        (folder / "disk").mkdir()
        with disk(folder / "disk") as there, side(there / "data", lesser=container.lesser, **options) as far:
            assert MEASURED in far.spawner.about()["limits"]
            ready(far, far.spec())


def _container() -> Machine:
    return next(machine for machine in MACHINES if machine.name == "container")

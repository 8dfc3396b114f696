"""Where namespaces are to be had, an environment has process numbers of its own, and what it started ends with it."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from hub.spawners.base import Ending
from hub.spawners.local.processes import descendants
from tests.isolation.machines import MACHINES, Machine
from tests.spawners.far_side import MIB, ended, ready, until
from tests.spawners.local_side import LocalFarSide, lives

HIDDEN = """
import ctypes, os
reading, writing = os.pipe()
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        hide = "ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)"
        program = f"import ctypes, os, signal; {hide}; os.write({writing}, b'.'); signal.pause()"
        os.set_inheritable(writing, True)
        for number in range(3): os.dup2(os.open('/dev/null', os.O_RDWR), number)
        os.execve('/usr/bin/python3', ['python3', '-c', program], {})
    os._exit(0)
os.wait()
os.read(reading, 1)
"""
"""A process in a session of its own that nobody may look into, without a variable or an open file of Podium's."""
GROW = """
import os, time
held, seen, until = [], set(), time.monotonic() + 2
while time.monotonic() < until:
    held.append(os.urandom(200_000))
    seen.update(int(name) for name in os.listdir('/proc') if name.isdigit())
result = sorted(seen)
"""
"""So that its memory is added up again and again."""


@pytest.fixture(
    scope="module", params=[machine for machine in MACHINES if machine.hides_paths], ids=lambda machine: machine.name
)
def far(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalFarSide]:
    machine: Machine = request.param
    one = LocalFarSide(tmp_path_factory.mktemp("numbers"), lesser=machine.lesser)
    yield one
    one.close()


@pytest.mark.case("A9-9")
def test_an_environment_sees_its_own_processes_alone_and_so_do_programs_that_it_starts(far: LocalFarSide) -> None:
    spec, neighbour = far.spec(), far.spec()
    for one in (neighbour, spec):
        ready(far, one)
    seen = "[int(name) for name in os.listdir('/proc') if name.isdigit()]"
    assert far.run(spec.start_id, f"import os; result = {seen}, os.getpid()") == "([1, 2], 2)"
    program = f"import os; print({seen}, os.getpid(), open(f'/proc/{{os.getpid()}}/status').readline())"
    told = far.run(
        spec.start_id,
        f"import subprocess, sys; result = subprocess.check_output([sys.executable, '-c', {program!r}], text=True).split()",
    )
    assert "'Name:'" in told
    assert told.startswith("['[1,', '2,', ")


def test_it_does_not_see_who_adds_up_its_memory(far: LocalFarSide) -> None:
    spec = far.spec(memory=4096 * MIB)
    ready(far, spec)
    assert far.run(spec.start_id, GROW) == "[1, 2]"


@pytest.mark.case("A9-9")
def test_the_first_process_can_be_neither_ended_nor_looked_into_and_reaps_orphans(far: LocalFarSide) -> None:
    spec = far.spec()
    ready(far, spec)
    far.run(spec.start_id, "import subprocess; subprocess.run('(exit 3) & (exit 4) & sleep 0 &', shell=True)")
    first = far.supervisor(spec.start_id)["first"]["pid"]
    until(lambda: len(list(psutil.Process(far.supervisor(spec.start_id)["pid"]).children(recursive=True))) == 2)
    tried = """
import os, signal
done = []
for act in (
    lambda: os.kill(1, signal.SIGKILL), lambda: os.kill(1, signal.SIGINT), lambda: open('/proc/1/environ').read(),
    lambda: os.readlink('/proc/1/root'), lambda: open('/proc/1/mem', 'rb'),
):
    try: act()
    except OSError: continue
    done.append(act)
result = len(done)
"""
    assert far.run(spec.start_id, tried) in {"0", "2"}, "only to one of the same account a signal may be sent, and does nothing"
    far.run(spec.start_id, "import subprocess; subprocess.run('sleep 0 &', shell=True)")  # it looks round whenever a child ends
    assert until(lambda: psutil.Process(first).status() == psutil.STATUS_SLEEPING)
    assert far.run(spec.start_id, "result = open('/proc/1/mountinfo').read()") == ""
    assert os.geteuid() != 0 or psutil.Process(first).num_fds() == 0


@pytest.mark.case("A9-9")
def test_with_its_supervisor_ends_what_hides_from_whoever_looks(far: LocalFarSide) -> None:
    spec = far.spec()
    ready(far, spec)
    far.run(spec.start_id, HIDDEN)
    supervisor = far.supervisor(spec.start_id)["pid"]
    below = list(descendants(supervisor))
    assert len(below) == 3
    os.kill(supervisor, signal.SIGKILL)
    exit_ = ended(far, spec.start_id).exit
    assert exit_
    assert exit_.why is Ending.KILLED
    assert not [pid for pid in below if lives(pid)]


def test_when_the_first_process_is_killed_all_end_and_it_is_said(far: LocalFarSide) -> None:
    spec = far.spec()
    ready(far, spec)
    far.run(spec.start_id, HIDDEN)
    named = far.supervisor(spec.start_id)
    below = list(descendants(named["pid"]))
    os.kill(named["first"]["pid"], signal.SIGKILL)
    exit_ = ended(far, spec.start_id).exit
    assert exit_
    assert (exit_.why, exit_.detail) == (Ending.KILLED, "SIGKILL")
    assert not [pid for pid in below if lives(pid)]


def test_an_environment_ends_also_where_its_first_process_was_halted(far: LocalFarSide) -> None:
    spec = far.spec()
    ready(far, spec)
    named = far.supervisor(spec.start_id)
    os.kill(named["first"]["pid"], signal.SIGSTOP)
    far.run(spec.start_id, "import subprocess; subprocess.run('sleep 0.1 &', shell=True)")
    far.kill(spec.start_id, signal.SIGKILL)
    ended(far, spec.start_id)
    assert not lives(named["first"]["pid"])


def test_what_an_orphan_used_of_the_processor_stays_counted(far: LocalFarSide) -> None:
    spec = far.spec()
    ready(far, spec)
    burn = "import time; end = time.process_time() + 0.5\nwhile time.process_time() < end: pass"
    far.run(
        spec.start_id, f"import subprocess, sys; subprocess.run(['sh', '-c', '\"$0\" -c \"$1\" &', sys.executable, {burn!r}])"
    )
    supervisor = far.supervisor(spec.start_id)["pid"]
    until(lambda: len(list(descendants(supervisor))) == 2)
    (usage,) = (usage for usage in far.spawner.usage() if usage.start_id == spec.start_id)
    assert usage.cpu_seconds
    assert usage.cpu_seconds >= 0.5


def test_what_still_writes_when_it_is_told_to_stop_has_its_time(far: LocalFarSide) -> None:
    spec = far.spec()
    ready(far, spec)
    program = (
        "import pathlib, signal, sys, time\n"
        "def finish(*_):\n    time.sleep(0.5); pathlib.Path('finished').touch(); sys.exit()\n"
        "signal.signal(signal.SIGTERM, finish); print(flush=True); signal.pause()"
    )
    far.run(
        spec.start_id,
        f"import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', {program!r}], stdout=-1).stdout.readline()",
    )
    workspace: Path = far.folders.workspace(spec.workspace_id)
    far.spawner.stop(spec.start_id)
    ended(far, spec.start_id)
    assert (workspace / "finished").exists()


HALF_A_ROOT = [Machine("root-that-may-not-change-its-root", ("--root-with=sys_admin",), "")] if os.geteuid() == 0 else []
"""It may make namespaces, and not what is done in one."""


@pytest.mark.parametrize(
    "machine",
    [*(machine for machine in MACHINES if not machine.hides_paths), *HALF_A_ROOT],
    ids=lambda machine: machine.name,
)
def test_where_namespaces_are_forbidden_it_runs_without(machine: Machine) -> None:
    with machine.folder() as (folder, options):
        far = LocalFarSide(folder / "data", lesser=machine.lesser, **options)
        try:
            spec = far.spec()
            ready(far, spec)
            assert far.run(spec.start_id, "import os; result = os.getpid()") == json.dumps(
                far.supervisor(spec.start_id)["server"]
            )
        finally:
            far.close()

"""A supervisor and what is below it: killed, halted, mistaken for another, and printing without end."""

import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hub.spawners.base import Ending, Exit, State
from hub.spawners.local.options import CODE
from hub.spawners.local.records import write_json
from tests.conformance.test_spawner import DAEMON
from tests.spawners.far_side import MIB, ended, in_state, ready, until
from tests.spawners.local_side import LocalFarSide, lives


def _exit(far: LocalFarSide, start_id: str, within: float = 60) -> Exit:
    exit_ = ended(far, start_id, within).exit
    assert exit_
    return exit_


@pytest.mark.case("R25")
def test_when_a_supervisor_is_killed_everything_below_it_ends_and_it_is_told(far: LocalFarSide) -> None:
    spec = far.spec()
    ready(far, spec)
    far.run(spec.start_id, DAEMON)
    os.kill(far.supervisor(spec.start_id)["pid"], signal.SIGKILL)
    exit_ = _exit(far, spec.start_id, within=3)
    assert exit_.why is Ending.KILLED
    assert "supervised" in exit_.detail
    assert far.processes(spec.start_id) == 0


def test_a_killed_supervisors_workspace_can_be_used_again(far: LocalFarSide) -> None:
    spec = far.spec()
    ready(far, spec)
    far.run(spec.start_id, DAEMON)
    os.kill(far.supervisor(spec.start_id)["pid"], signal.SIGKILL)
    ended(far, spec.start_id)
    assert ready(far, far.spec(workspace_id=spec.workspace_id))


def test_a_halted_supervisor_still_hears_the_order_to_stop(far: LocalFarSide) -> None:
    spec = far.spec()
    ready(far, spec)
    os.kill(far.supervisor(spec.start_id)["pid"], signal.SIGSTOP)
    far.spawner.stop(spec.start_id)
    assert _exit(far, spec.start_id).why is Ending.STOPPED


@pytest.mark.case("R25")
def test_a_supervisor_that_is_halted_in_the_middle_of_a_stop_is_killed_and_nothing_below_it_goes_on(far: LocalFarSide) -> None:
    spec = far.spec()
    ready(far, spec)
    supervisor, heard = far.supervisor(spec.start_id), far.folders.workspace(spec.workspace_id) / "heard"
    far.run(spec.start_id, DAEMON)
    far.run(spec.start_id, "import signal; signal.signal(signal.SIGTERM, lambda *_: open('heard', 'w').close())")
    far.spawner.stop(spec.start_id)
    until(heard.exists)
    far.agent()  # it answers, so the signal that wakes a halted supervisor has gone before this one
    os.kill(supervisor["pid"], signal.SIGSTOP)
    assert _exit(far, spec.start_id).why is Ending.STOPPED
    assert not lives(supervisor["pid"])
    assert not lives(supervisor["server"])
    assert far.processes(spec.start_id) == 0


@pytest.mark.case("R25")
def test_a_supervisor_that_hangs_in_the_middle_of_a_stop_is_killed_by_the_next_agent_too(far: LocalFarSide) -> None:
    spec = far.spec()
    ready(far, spec)
    supervisor = far.supervisor(spec.start_id)
    os.mkfifo(far.folders.start(spec.start_id).path / f".exit.json.{supervisor['pid']}")  # nobody reads what it writes there
    far.spawner.stop(spec.start_id)
    until(lambda: not lives(supervisor["server"]))
    os.kill(far.agent(), signal.SIGKILL)
    assert _exit(far, spec.start_id).why is Ending.STOPPED
    assert not lives(supervisor["pid"])
    assert ready(far, far.spec(workspace_id=spec.workspace_id))


def test_a_signal_to_the_servers_group_does_not_reach_the_supervisor(far: LocalFarSide) -> None:
    spec = far.spec()
    ready(far, spec)
    server = far.supervisor(spec.start_id)["server"]
    assert os.getpgid(server) == server
    os.killpg(server, signal.SIGINT)
    assert _exit(far, spec.start_id).why in (Ending.EXITED, Ending.KILLED)


def test_a_signal_that_has_no_name_is_told_by_its_number(far: LocalFarSide) -> None:
    spec = far.spec()
    ready(far, spec)
    os.kill(far.supervisor(spec.start_id)["server"], signal.SIGRTMIN + 6)
    exit_ = _exit(far, spec.start_id)
    assert (exit_.why, exit_.detail) == (Ending.KILLED, "signal 40")


UNRECORDED = """
import signal
from environment.supervising.watchdog import Watchdog
from environment.supervising.supervisor import AWAITED, Supervisor
class Limits(Watchdog):
    def close(self): print("closed", flush=True)
class Records:
    def started(self, server, first): raise OSError(28, "No space left on device")
    def tidy(self): pass
signal.pthread_sigmask(signal.SIG_BLOCK, AWAITED)
Supervisor({}, Limits(1, 1), Records()).run(print)
"""


def test_where_a_start_cannot_be_recorded_what_holds_it_to_its_limits_is_taken_down_all_the_same() -> None:
    told = subprocess.run(
        [sys.executable, "-c", UNRECORDED],
        env={**os.environ, "PYTHONPATH": str(CODE)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (told.stdout, told.stderr.splitlines()[-1]) == ("closed\n", "OSError: [Errno 28] No space left on device")


@contextmanager
def a_stranger() -> Iterator[subprocess.Popen[bytes]]:
    """A process that has nothing to do with Podium; it ends with the block, however that ends."""
    with subprocess.Popen(["sleep", "600"]) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.case("R25")
@pytest.mark.parametrize("told_to_stop", [False, True])
def test_a_process_number_that_was_reused_is_neither_taken_back_nor_signalled(far: LocalFarSide, told_to_stop: bool) -> None:  # noqa: FBT001
    spec = far.spec()
    ready(far, spec)
    _kill_all(far, spec.start_id)
    with a_stranger() as stranger:
        folder = far.folders.start(spec.start_id)
        named = json.loads(folder.supervisor.read_text())
        write_json(folder.supervisor, named | {"pid": stranger.pid}, name="a reused number")
        if told_to_stop:
            write_json(folder.stop, {"why": "stopped", "detail": ""}, name="an order")
        exit_ = _exit(far, spec.start_id)
        assert stranger.poll() is None
    assert exit_.why is (Ending.STOPPED if told_to_stop else Ending.KILLED)


@pytest.mark.case("R25")
def test_after_a_restart_of_the_machine_what_ran_is_lost_and_what_was_only_ordered_starts(far: LocalFarSide) -> None:
    ran, ordered = far.spec(), far.spec()
    ready(far, ran)
    ready(far, ordered)
    _kill_all(far, ran.start_id, ordered.start_id)
    folder = far.folders.start(ran.start_id)
    named = json.loads(folder.supervisor.read_text())
    write_json(folder.supervisor, named | {"boot_id": "another"}, name="another boot")
    far.folders.start(ordered.start_id).supervisor.unlink()
    far.folders.start(ordered.start_id).checkpoints.unlink()
    assert _exit(far, ran.start_id).why is Ending.LOST
    until(lambda: in_state(far, ordered.start_id, State.READY))


def _kill_all(far: LocalFarSide, *starts: str) -> None:
    """Agent first, then supervisors, so that nobody records anything."""
    os.kill(far.agent(), signal.SIGKILL)
    for start_id in starts:
        supervisor = far.supervisor(start_id)["pid"]
        os.kill(supervisor, signal.SIGKILL)
        until(lambda supervisor=supervisor: not lives(supervisor))  # type: ignore[misc]
        until(lambda start_id=start_id: far.processes(start_id) == 0)  # type: ignore[misc]


def test_an_environment_whose_socket_was_removed_is_lost_after_a_restart_of_the_agent(far: LocalFarSide) -> None:
    spec = far.spec()
    ready(far, spec)
    os.kill(far.agent(), signal.SIGKILL)
    far.folders.socket(spec.start_id).unlink()
    exit_ = _exit(far, spec.start_id)
    assert exit_.why is Ending.LOST
    assert "socket" in exit_.detail
    assert far.processes(spec.start_id) == 0


def test_a_server_that_answers_for_another_start_is_never_ready(far: LocalFarSide) -> None:
    spec = far.spec(at_start="spec.__dict__['start_id'] = '0' * 32")
    far.spawner.start(spec)
    until(lambda: far.folders.socket(spec.start_id).exists())
    time_up = time.monotonic() + 1
    until(lambda: time.monotonic() > time_up or in_state(far, spec.start_id, State.READY))
    assert not in_state(far, spec.start_id, State.READY)


def test_an_endless_log_stays_small_and_keeps_its_end(far: LocalFarSide) -> None:
    spec = far.spec()
    ready(far, spec)
    far.run(spec.start_id, "for n in range(400_000): print(n, 'x' * 90)\nprint('the end', flush=True)")
    log = far.folders.start(spec.start_id).log
    until(lambda: log.stat().st_size < 5 * MIB)
    assert far.spawner.log(spec.start_id, 1) == "the end\n"


def test_a_log_that_cannot_be_written_when_it_is_cut_ends_nothing(far: LocalFarSide) -> None:
    spec = far.spec()
    ready(far, spec)
    supervisor, log = far.supervisor(spec.start_id)["pid"], far.folders.start(spec.start_id).log
    _, most = resource.prlimit(supervisor, resource.RLIMIT_FSIZE)
    resource.prlimit(supervisor, resource.RLIMIT_FSIZE, (0, most))
    far.run(spec.start_id, "print('x' * 6_000_000, flush=True)")
    until(lambda: log.stat().st_size == 0)
    resource.prlimit(supervisor, resource.RLIMIT_FSIZE, (most, most))
    far.run(spec.start_id, "print('x' * 6_000_000, flush=True)")
    until(lambda: 0 < log.stat().st_size < 5 * MIB)


def test_where_a_supervisor_fails_while_its_server_runs_it_is_not_said_that_it_could_not_start(far: LocalFarSide) -> None:
    spec = far.spec()
    ready(far, spec)
    far.folders.start(spec.start_id).stop.mkdir()
    os.kill(far.supervisor(spec.start_id)["pid"], signal.SIGTERM)
    exit_ = _exit(far, spec.start_id)
    assert exit_.why is Ending.KILLED
    assert exit_.detail.startswith("The process that supervised it failed")
    assert far.processes(spec.start_id) == 0


def test_a_supervisor_holds_its_log_and_its_locks_and_nothing_else(far: LocalFarSide) -> None:
    spec = far.spec()
    ready(far, spec)
    folder = far.folders.start(spec.start_id)
    held = {link.readlink() for link in Path(f"/proc/{far.supervisor(spec.start_id)['pid']}/fd").iterdir()}
    assert held == {Path("/dev/null"), folder.log, folder.path / "lock", far.folders.lock(spec.workspace_id)}


def test_an_environment_has_clean_variables_random_numbers_of_its_own_and_a_short_temporary_folder(far: LocalFarSide) -> None:
    specs = [far.spec(cpu=2.5) for _ in range(2)]
    for spec in specs:
        ready(far, spec)
    assert len({far.run(spec.start_id, "import random; result = random.random()") for spec in specs}) == 2
    variables = json.loads(far.run(specs[0].start_id, "import json, os; result = json.dumps(dict(os.environ))"))
    workspace = str(far.folders.workspace(specs[0].workspace_id))
    assert (variables["HOME"], variables["WORKSPACE_DIR"], variables["OMP_NUM_THREADS"]) == (workspace, workspace, "3")
    assert len(variables["TMPDIR"]) < 80
    assert far.run(specs[0].start_id, "import tempfile; result = bool(tempfile.mkdtemp())") == "True"
    assert set(variables) <= _EXPECTED


_EXPECTED = {
    "PATH", "LANG", "LOGNAME", "USER", "HOME", "TMPDIR", "WORKSPACE_DIR", "START_ID", "AT_START", "LC_CTYPE",
    "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS", "POLARS_MAX_THREADS",
}  # fmt: skip

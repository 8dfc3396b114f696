"""What every spawner promises (`hub/spawners/base.py`), shown on each one that there is."""

import os
import signal
import threading
import time
from collections.abc import Callable

import pytest

from hub.clock import new_id
from hub.errors import Conflict, Invalid
from hub.spawners.base import SYNCED, Ending, Observation, State
from tests.spawners.far_side import MIB, FarSide, ended, in_state, observed, ready, until

DAEMON = """
import os, subprocess, sys
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        import time
        time.sleep(600)
    os._exit(0)
os.wait()
"""
"""Starts two processes that leave the server's session: a program, and a fork of a fork."""


def test_a_start_passes_its_checkpoints_in_order_and_becomes_ready(far: FarSide) -> None:
    spec = far.spec()
    seen = ready(far, spec)
    assert tuple(point.name for point in seen.checkpoints) == far.spawner.checkpoints
    assert [point.at for point in seen.checkpoints] == sorted(point.at for point in seen.checkpoints)
    assert seen.workspace_id == spec.workspace_id
    assert seen.upstream
    assert seen.exit is None


def test_before_it_is_ready_a_start_is_pending_without_an_upstream(far: FarSide) -> None:
    spec = far.spec(at_start="import time; time.sleep(600)")
    far.spawner.start(spec)
    seen = until(lambda: in_state(far, spec.start_id, State.PENDING))
    assert seen.upstream is None
    assert far.spawner.checkpoints[-1] not in [point.name for point in seen.checkpoints]


@pytest.mark.case("A5-8")
def test_the_environment_gets_its_variables_and_nothing_of_the_hubs(far: FarSide) -> None:
    """Neither in its variables nor in what the kernel remembers of the process that it was forked from."""
    assert os.environ["SECRET_KEY"] == "the hub's own"
    spec = far.spec(variables={"USER_ID": "someone", "HUB_URL": "http://localhost:8501"})
    ready(far, spec)
    told = far.run(spec.start_id, "import os; result = str(dict(os.environ)) + open('/proc/self/environ').read()")
    assert "'USER_ID': 'someone'" in told
    assert "'HUB_URL': 'http://localhost:8501'" in told
    assert "SECRET_KEY" not in told


@pytest.mark.case("R8")
def test_the_same_start_ordered_many_times_at_once_runs_once(far: FarSide) -> None:
    spec = far.spec(at_start="import os; open('runs', 'a').write(f'{os.getpid()} ')")
    orders = [threading.Thread(target=far.spawner.start, args=(spec,)) for _ in range(20)]
    for order in orders:
        order.start()
    for order in orders:
        order.join()
    until(lambda: in_state(far, spec.start_id, State.READY))
    far.spawner.start(spec)
    assert len([seen for seen in far.spawner.observe() if seen.start_id == spec.start_id]) == 1
    assert len(far.run(spec.start_id, "result = open('runs').read()").split()) == 1


@pytest.mark.case("R8")
def test_of_many_starts_with_one_workspace_one_runs_and_the_others_say_why_not(far: FarSide) -> None:
    workspace = new_id()
    specs = [far.spec(workspace_id=workspace) for _ in range(20)]
    orders = [threading.Thread(target=far.spawner.start, args=(spec,)) for spec in specs]
    for order in orders:
        order.start()
    for order in orders:
        order.join()
    states = until(lambda: _settled(far, [spec.start_id for spec in specs]))
    assert [seen.state for seen in states].count(State.READY) == 1
    refused = [seen.exit for seen in states if seen.exit]
    assert {exit_.why for exit_ in refused} == {Ending.NEVER_STARTED}
    assert all("workspace" in exit_.detail for exit_ in refused)


def _settled(far: FarSide, ids: list[str]) -> list[Observation] | None:
    states = [seen for seen in far.spawner.observe() if seen.start_id in ids and seen.state is not State.PENDING]
    return states if len(states) == len(ids) else None


def test_many_starts_at_once_are_accepted_in_under_two_seconds(far: FarSide) -> None:
    specs = [far.spec() for _ in range(far.at_once)]
    began = time.monotonic()
    for spec in specs:
        far.spawner.start(spec)
    assert time.monotonic() - began < 2
    assert until(lambda: _settled(far, [spec.start_id for spec in specs]), 180)
    assert all(seen.state is State.READY for seen in far.spawner.observe())


@pytest.mark.parametrize("image", ["/nowhere/python", "", "../../bin/sh", "x" * 5000])
def test_an_image_that_does_not_exist_ends_the_start_with_a_reason(far: FarSide, image: str) -> None:
    spec = far.spec(image=image)
    far.spawner.start(spec)
    exit_ = ended(far, spec.start_id).exit
    assert exit_
    assert exit_.why is Ending.NEVER_STARTED
    assert exit_.detail


def test_watch_tells_everything_then_that_it_has_then_each_change(far: FarSide) -> None:
    before, after = far.spec(), far.spec()
    ready(far, before)
    with far.watching() as watch:
        first = watch.next()
        assert isinstance(first, Observation)
        assert (first.start_id, first.state) == (before.start_id, State.READY)
        assert watch.next() is SYNCED
        far.spawner.start(after)
        assert watch.next_of(after.start_id, State.PENDING).upstream is None
        assert watch.next_of(after.start_id, State.READY).upstream
        far.spawner.stop(after.start_id)
        exit_ = watch.next_of(after.start_id, State.ENDED).exit
        assert exit_
        assert exit_.why is Ending.STOPPED


@pytest.mark.case("R25")
def test_an_environment_that_is_killed_is_told_soon(far: FarSide) -> None:
    spec = far.spec()
    ready(far, spec)
    with far.watching() as watch:
        while watch.next() is not SYNCED:
            pass
        far.kill(spec.start_id, signal.SIGKILL)
        exit_ = watch.next_of(spec.start_id, State.ENDED, within=far.told_within).exit
    assert exit_
    assert (exit_.why, exit_.detail, exit_.exit_code) == (Ending.KILLED, "SIGKILL", None)


def test_stop_ends_every_process_also_those_that_have_left_the_session(far: FarSide) -> None:
    spec = far.spec()
    ready(far, spec)
    far.run(spec.start_id, DAEMON)
    assert far.processes(spec.start_id) == 3
    far.spawner.stop(spec.start_id)
    exit_ = ended(far, spec.start_id).exit
    assert exit_
    assert exit_.why is Ending.STOPPED
    assert far.processes(spec.start_id) == 0


def test_a_process_that_ignores_the_request_to_end_is_ended_all_the_same(far: FarSide) -> None:
    spec = far.spec()
    ready(far, spec)
    far.run(spec.start_id, "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)")
    far.spawner.stop(spec.start_id)
    assert ended(far, spec.start_id).state is State.ENDED
    assert far.processes(spec.start_id) == 0


@pytest.mark.case("R9")
def test_a_stop_while_it_starts_ends_it_and_leaves_nothing(far: FarSide) -> None:
    specs = [far.spec() for _ in range(5)]
    for spec in specs:
        far.spawner.start(spec)
        far.spawner.stop(spec.start_id)
    for spec in specs:
        exit_ = ended(far, spec.start_id).exit
        assert exit_
        assert exit_.why is Ending.STOPPED
        assert far.processes(spec.start_id) == 0


def test_stopping_again_and_stopping_what_is_unknown_do_nothing(far: FarSide) -> None:
    spec = far.spec()
    ready(far, spec)
    far.spawner.stop(spec.start_id)
    far.spawner.stop(spec.start_id)
    first = ended(far, spec.start_id)
    far.spawner.stop(spec.start_id)
    far.spawner.stop(new_id())
    assert observed(far, spec.start_id) == first


def test_an_ended_start_stays_until_it_is_forgotten_and_is_not_started_again(far: FarSide) -> None:
    spec = far.spec(at_start="raise SystemExit(7)")
    far.spawner.start(spec)
    first = ended(far, spec.start_id)
    far.spawner.start(spec)
    assert observed(far, spec.start_id) == first
    far.spawner.forget(spec.start_id)
    assert observed(far, spec.start_id) is None
    assert far.spawner.log(spec.start_id, 10) == ""
    far.spawner.forget(spec.start_id)
    far.spawner.forget(new_id())


def test_a_running_start_cannot_be_forgotten(far: FarSide) -> None:
    spec = far.spec()
    ready(far, spec)
    with pytest.raises(Conflict):
        far.spawner.forget(spec.start_id)
    assert in_state(far, spec.start_id, State.READY)


@pytest.mark.parametrize("code", [0, 7])
def test_what_ends_by_itself_says_its_exit_code(far: FarSide, code: int) -> None:
    spec = far.spec(at_start=f"raise SystemExit({code})")
    far.spawner.start(spec)
    exit_ = ended(far, spec.start_id).exit
    assert exit_
    assert (exit_.why, exit_.exit_code) == (Ending.EXITED, code)


def test_when_the_server_ends_its_descendants_end_too(far: FarSide) -> None:
    spec = far.spec()
    ready(far, spec)
    far.run(spec.start_id, DAEMON)
    far.kill(spec.start_id, signal.SIGKILL)
    ended(far, spec.start_id)
    assert far.processes(spec.start_id) == 0


def test_the_log_gives_the_last_lines_while_it_runs_and_after_it_ended(far: FarSide) -> None:
    spec = far.spec(at_start="for n in range(20): print('line', n, flush=True)")
    ready(far, spec)
    assert far.spawner.log(spec.start_id, 3) == "line 17\nline 18\nline 19\n"
    assert far.spawner.log(spec.start_id, 0) == ""
    far.spawner.stop(spec.start_id)
    ended(far, spec.start_id)
    assert far.spawner.log(spec.start_id, 1) == "line 19\n"
    assert far.spawner.log(new_id(), 10) == ""


def test_usage_has_one_sample_for_each_running_start(far: FarSide) -> None:
    running, stopped = far.spec(), far.spec()
    ready(far, running)
    ready(far, stopped)
    far.spawner.stop(stopped.start_id)
    ended(far, stopped.start_id)
    far.run(running.start_id, "kept = globals()['__builtins__']['kept'] = bytearray(50 * 1024 * 1024); sum(range(3_000_000))")
    (usage,) = until(lambda: [sample for sample in far.spawner.usage() if sample.memory > 50 * MIB])
    assert usage.start_id == running.start_id
    assert usage.processes in {1, None}
    assert usage.memory < 250 * MIB
    assert usage.cpu_seconds is None or 0 < usage.cpu_seconds < 60


@pytest.mark.parametrize("where", ["its own process", "a child"])
def test_an_environment_that_takes_too_much_memory_is_stopped_and_says_so(far: FarSide, where: str) -> None:
    spec = far.spec(memory=150 * MIB)
    ready(far, spec)
    take = "held = bytearray(300 * 1024 * 1024)\nimport time\ntime.sleep(60)"
    code = f"import threading; threading.Timer(0.2, exec, args=({take!r}, {{}})).start()"
    if where == "a child":
        code = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {take!r}])"
    far.run(spec.start_id, code)
    exit_ = ended(far, spec.start_id).exit
    assert exit_
    assert exit_.why is Ending.OUT_OF_MEMORY
    assert "150 MiB" in exit_.detail
    assert exit_.peak_memory
    assert exit_.peak_memory >= 150 * MIB
    assert far.processes(spec.start_id) == 0


def test_an_environment_that_starts_too_many_processes_is_stopped_and_says_so(far: FarSide) -> None:
    spec = far.spec(processes=16)
    ready(far, spec)
    many = "import subprocess\nfor _ in range(30): subprocess.Popen(['sleep', '600'], start_new_session=True)"
    far.run(spec.start_id, f"import threading; threading.Timer(0.2, exec, args=({many!r}, {{}})).start()")
    exit_ = ended(far, spec.start_id).exit
    assert exit_
    assert exit_.why is Ending.TOO_MANY_PROCESSES
    assert "16" in exit_.detail
    assert far.processes(spec.start_id) == 0


def test_the_peak_of_memory_is_known_after_the_end(far: FarSide) -> None:
    spec = far.spec()
    ready(far, spec)
    far.run(spec.start_id, "globals()['__builtins__']['held'] = bytearray(80 * 1024 * 1024)")
    until(lambda: [sample for sample in far.spawner.usage() if sample.memory > 80 * MIB])
    until(lambda: _peak_after_end(far, spec.start_id))


def _peak_after_end(far: FarSide, start_id: str) -> bool:
    far.spawner.stop(start_id)
    exit_ = ended(far, start_id).exit
    return exit_ is not None and exit_.peak_memory is not None


HOSTILE = [
    "",
    ".",
    "..",
    "../../etc",
    "a/b",
    "%2e%2e",
    "\0",
    "A" * 32,
    "0" * 31,
    "0" * 33,
    "ü" * 32,
    "0" * 31 + "\n",
    "x" * 10_000,
]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_an_id_that_is_none_is_refused_by_every_call(far: FarSide, hostile: str) -> None:
    spawner = far.spawner
    calls: list[Callable[[], object]] = [
        lambda: spawner.start(far.spec(start_id=hostile)),
        lambda: spawner.start(far.spec(workspace_id=hostile)),
        lambda: spawner.stop(hostile),
        lambda: spawner.forget(hostile),
        lambda: spawner.log(hostile, 1),
        lambda: spawner.workspace_size(hostile),
        lambda: next(iter(spawner.workspace_archive(hostile))),
        lambda: spawner.delete_workspace(hostile),
    ]
    for call in calls:
        with pytest.raises(Invalid):
            call()
    assert spawner.observe() == []


@pytest.mark.parametrize(
    "changes", [{"memory": 0}, {"memory": -1}, {"cpu": 0.0}, {"processes": 0}, {"keys": ()}, {"variables": {"A": "\0"}}]
)
def test_a_spec_that_cannot_run_is_refused(far: FarSide, changes: dict[str, object]) -> None:
    with pytest.raises(Invalid):
        far.spawner.start(far.spec(**changes))
    assert far.spawner.observe() == []


def test_the_capacity_for_memory_is_known_or_left_to_the_far_side(far: FarSide) -> None:
    capacity = far.spawner.memory_capacity()
    assert capacity is None or capacity > 0

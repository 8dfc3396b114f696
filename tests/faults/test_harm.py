"""Hub, agent, warm parent or environment is killed in the middle of something; what runs goes on, what was wanted comes."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from hub.environments.model import Phase
from hub.spawners.local.records import read_json
from tests.faults.case import Case
from tests.faults.installation import Installation
from tests.faults.machine import Kind

LINES = 150
WRITES = f"""
import threading, time
def write():
    with open("results.txt", "w") as file:
        for number in range({LINES}):
            print(number, file=file, flush=True)
            time.sleep(0.02)
threading.Thread(target=write).start()
"""


@pytest.fixture
def case(podium: Installation) -> Case:
    """An environment that runs, with a file of the person's."""
    case = Case(podium)
    case.launch()
    case.run()
    case.write()
    return case


def processes_of(case: Case) -> set[int]:
    return {process.pid for process in case.podium.running() if process.kind in {Kind.SUPERVISOR, Kind.SERVER}}


@pytest.mark.case("R25")
def test_a_script_writes_its_file_to_the_end_while_the_hub_is_killed(case: Case) -> None:
    before = processes_of(case)
    case.run_code(WRITES)
    case.podium.hub.kill()
    case.podium.start()
    results = case.files / "results.txt"
    assert len(results.read_text().splitlines()) < LINES, "it was to be killed while the script wrote"
    case.podium.until(lambda: len(results.read_text().splitlines()) == LINES, "written to the end")
    case.settle()
    assert processes_of(case) == before


@pytest.mark.case("R25")
def test_hub_and_agent_are_both_killed_and_take_the_same_processes_back(case: Case) -> None:
    before, start = processes_of(case), case.row.start_id
    case.podium.kill_everything_but_environments()
    case.podium.start()
    case.settle()
    assert (processes_of(case), case.row.start_id) == (before, start)
    case.act("stop")
    case.until(Phase.STOPPED)
    case.settle()


def test_the_agent_is_killed_while_an_environment_starts_and_the_start_goes_on(case: Case) -> None:
    case.act("stop")
    case.until(Phase.STOPPED)
    case.hold()
    case.act("relaunch")
    case.until_reached("process started")
    before, start = processes_of(case), case.row.start_id
    os.kill(case.podium.pid_of(Kind.AGENT), signal.SIGKILL)
    case.release()
    case.run()
    case.settle()
    assert (processes_of(case), case.row.start_id) == (before, start)


def test_the_warm_parent_is_killed_during_a_launch_and_the_next_one_carries_it_out(case: Case) -> None:
    case.act("stop")
    case.until(Phase.STOPPED)
    parent = case.podium.pid_of(Kind.WARM_PARENT)
    os.kill(parent, signal.SIGSTOP)
    case.act("relaunch")
    case.until_reached("workspace ready")
    os.kill(parent, signal.SIGKILL)
    case.run()
    case.settle()


@pytest.mark.case("R25")
def test_an_environment_that_is_killed_from_outside_is_failed_and_can_be_launched_again(case: Case) -> None:
    (server,) = (process.pid for process in case.podium.running() if process.kind is Kind.SERVER)
    os.kill(server, signal.SIGKILL)
    failed = case.until(Phase.FAILED)
    assert "ended from outside: SIGKILL" in (failed.reason or "")
    case.act("relaunch")
    case.run()
    case.settle()


@pytest.mark.case("R25")
def test_a_process_number_that_was_used_again_is_neither_taken_back_nor_signalled(case: Case) -> None:
    """The supervisor died unseen, and its number now belongs to a stranger."""
    case.podium.kill_everything_but_environments()
    for process in sorted(case.podium.running(), key=lambda found: found.kind is not Kind.SUPERVISOR):
        os.kill(process.pid, signal.SIGKILL)
    with stranger() as pid:
        case.rename_supervisor(pid=pid)
        case.podium.start()
        assert "supervised it was killed" in (case.until(Phase.FAILED).reason or "")
        case.act("relaunch")
        case.run()
        case.act("stop")
        case.until(Phase.STOPPED)
        assert os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None
    case.settle()


@contextmanager
def stranger() -> Iterator[int]:
    process = subprocess.Popen(["sleep", "600"])
    try:
        yield process.pid
    finally:
        process.kill()
        process.wait()


@pytest.mark.case("R25")
def test_what_a_reboot_took_is_restarted_three_times_and_then_failed_with_the_reason(case: Case) -> None:
    for number in (1, 2, 3):
        old = case.row.start_id or ""
        case.reboot()
        case.until_restarted_at_once(old)
        assert case.row.restarts == number
        case.settle()
    case.reboot()
    assert "lost several times" in (case.until(Phase.FAILED).reason or "")
    case.act("relaunch")
    case.run()
    case.settle()


@pytest.mark.case("R25")
def test_a_reboot_in_the_middle_of_a_stop_ends_in_stopped(case: Case) -> None:
    case.run_code("import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)")
    case.act("stop")
    case.podium.until((case.folder / "stop.json").exists, "the order to stop is written")
    case.reboot()
    case.until(Phase.STOPPED)
    assert (read_json(case.folder / "exit.json") or {})["why"] == "stopped"
    case.settle()

"""The stories of an environment's life that are cut short at every crossing."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from hub.environments.model import Phase
from tests.faults.case import Case
from tests.faults.plan import Process


@dataclass(frozen=True)
class Scenario:
    """`prepare` is not disturbed; crossings count, and the kill comes, during `act`.

    `least`: how many crossings of each process are known to be part of it; fewer mean that a side effect has left the seam.
    """

    name: str
    prepare: Callable[[Case], None]
    act: Callable[[Case], None]
    least: Mapping[Process, int]


def _nothing(_case: Case) -> None:
    """The story begins with it."""


def _running(case: Case) -> None:
    case.launch()
    case.run()
    case.write()


def _stopped(case: Case) -> None:
    _running(case)
    case.act("stop")
    case.until(Phase.STOPPED)


def _held(case: Case) -> None:
    _stopped(case)
    case.hold()


def _given_up(case: Case) -> None:
    _running(case)
    case.act("delete")
    case.until_deleted()


def _agent_down(case: Case) -> None:
    _running(case)
    case.podium.kill_everything_but_environments()


def _launch(case: Case) -> None:
    case.launch()
    case.run()


def _stop(case: Case) -> None:
    case.act("stop")
    case.until(Phase.STOPPED)


def _relaunch(case: Case) -> None:
    case.act("relaunch")
    case.run()


def _cancel(case: Case) -> None:
    case.act("relaunch")
    case.until_reached("process started")
    case.act("stop")
    case.until(Phase.STOPPED)


def _restart(case: Case) -> None:
    old = case.row.start_id or ""
    case.act("restart")
    case.until_restarted(old)


def _delete(case: Case) -> None:
    case.act("delete")
    case.until_deleted()


def _delete_with_workspace(case: Case) -> None:
    case.act("delete with workspace")
    case.until_deleted()
    case.settle()


def _delete_while_starting(case: Case) -> None:
    case.act("relaunch")
    case.until_reached("process started")
    case.act("delete")
    case.until_deleted()


def _delete_workspace(case: Case) -> None:
    case.delete_workspace()
    case.settle()


def _disable(case: Case) -> None:
    case.act("disable")
    case.until(Phase.STOPPED)


def _come_back(case: Case) -> None:
    case.podium.revive()
    case.settle()


SCENARIOS = {
    scenario.name: scenario
    for scenario in (
        Scenario("launch", _nothing, _launch, {"hub": 4, "agent": 7}),
        Scenario("stop", _running, _stop, {"hub": 4, "agent": 4}),
        Scenario("relaunch", _stopped, _relaunch, {"hub": 5, "agent": 9}),
        Scenario("cancel", _held, _cancel, {"hub": 9, "agent": 12}),
        Scenario("restart", _running, _restart, {"hub": 8, "agent": 13}),
        Scenario("delete", _running, _delete, {"hub": 6, "agent": 7}),
        Scenario("delete with workspace", _running, _delete_with_workspace, {"hub": 8, "agent": 9}),
        Scenario("delete while starting", _held, _delete_while_starting, {"hub": 11, "agent": 15}),
        Scenario("delete workspace", _given_up, _delete_workspace, {"hub": 3, "agent": 2}),
        Scenario("disable", _running, _disable, {"hub": 4, "agent": 4}),
        Scenario("come back", _agent_down, _come_back, {"hub": 3, "agent": 4}),
    )
}

"""The hub or the agent is killed before and after every crossing of the seam, and nothing is lost.

Each test tells one story without a kill, to learn its crossings, then once for each of them with a kill there.
"""

from collections.abc import Callable

import pytest

from hub.clock import new_id
from tests.faults.case import Case
from tests.faults.conftest import CROSSINGS
from tests.faults.installation import Installation
from tests.faults.plan import Plan, Process, Side
from tests.faults.scenarios import SCENARIOS, Scenario

ATTEMPTS = 3
"""How often a story is told until an expected crossing comes; one that few tellings have is tried once."""


@pytest.mark.parametrize("side", ["before", "after"])
@pytest.mark.parametrize("process", ["hub", "agent"])
@pytest.mark.parametrize(
    "story",
    [
        pytest.param("launch", marks=pytest.mark.case("R1")),
        "stop",
        "relaunch",
        "cancel",
        "restart",
        pytest.param("delete", marks=pytest.mark.case("R2")),
        pytest.param("delete with workspace", marks=pytest.mark.case("R2")),
        pytest.param("delete while starting", marks=pytest.mark.case("R9")),
        pytest.param("delete workspace", marks=pytest.mark.case("R2")),
        "disable",
        pytest.param("come back", marks=pytest.mark.case("R25")),
    ],
)
def test_a_kill_at_any_crossing_loses_nothing(
    podium: Installation, story: str, process: Process, side: Side, record_property: Callable[[str, object], None]
) -> None:
    scenario = SCENARIOS[story]
    told(podium, scenario, Plan(new_id()), lambda: len(podium.crash.crossings(process, side)) >= scenario.least[process])
    names = podium.crash.crossings(process, side)
    faults = [fault for number in range(1, len(names) + 1) if (fault := killed(podium, scenario, process, side, number))]
    record_property(CROSSINGS, f"{story:22} {process:6} {side:7} {len(names):3}: {', '.join(names)}")
    assert len(names) >= scenario.least[process], f"a side effect has left the seam: {names}"
    assert not faults, "\n".join(faults)


def killed(podium: Installation, scenario: Scenario, process: Process, side: Side, number: int) -> str:
    """What was wrong after a kill at that crossing; empty where nothing was."""
    expected = number <= scenario.least[process]
    for _ in range(ATTEMPTS if expected else 1):
        try:
            told(podium, scenario, Plan(new_id(), process, number, side))
        except AssertionError as error:
            where = podium.crash.crossings(process, side)[number - 1 : number]
            return f"{scenario.name}, {process} killed {side} {where} ({number}): {error}"
        if podium.crash.has_killed:
            return ""
    return f"{scenario.name}: crossing {number} was not reached" if expected else ""


def told(podium: Installation, scenario: Scenario, plan: Plan, enough: Callable[[], bool] = lambda: True) -> None:
    """Tell the story under that plan and look whether all is well, and in the end `enough` written down of it.

    What the agent has done shows before the hub, which waits for its answer, has written that it asked.
    """
    case = Case(podium)
    scenario.prepare(case)
    podium.crash.arm(plan)
    try:
        scenario.act(case)
        case.release()
        case.settle()
        podium.until(enough, lambda: "a side effect has left the seam")
    finally:
        podium.crash.disarm()
    case.discard()

"""The very first `up`, which makes folders, secrets, database and agent, is killed before each of its crossings.

A second `up` then serves, and an environment can be launched. The start is one sequence, so a kill after a crossing is the kill
before the next one.
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from hub.clock import new_id
from tests.faults.case import Case
from tests.faults.conftest import CROSSINGS
from tests.faults.forge import Forge
from tests.faults.hubs import HubGone
from tests.faults.installation import Installation, unstarted
from tests.faults.plan import Plan, Process

LEAST: dict[Process, int] = {"hub": 10, "agent": 4}


@pytest.mark.parametrize("process", ["hub", "agent"])
def test_a_kill_during_the_first_start_leaves_nothing_that_a_second_start_cannot_use(
    hubs: Forge, tmp_path: Path, process: Process, record_property: Callable[[str, object], None]
) -> None:
    names = started(hubs, tmp_path / "whole", Plan(new_id()))[process]
    record_property(CROSSINGS, f"{'first start':22} {process:6} {'before':7} {len(names):3}: {', '.join(names)}")
    assert len(names) >= LEAST[process], f"a side effect has left the seam: {names}"
    for number in range(1, len(names) + 1):
        started(hubs, tmp_path / str(number), Plan(new_id(), process, number))


def started(hubs: Forge, folder: Path, plan: Plan) -> dict[Process, list[str]]:
    """Start under that plan, again if it was killed, and use it; the crossings of the first start."""
    with unstarted(hubs, folder) as podium:
        podium.crash.arm(plan)
        serve(podium)
        case = Case(podium)
        podium.until(lambda: plan.number == 0 or podium.crash.has_killed, f"killed at {plan}")
        podium.crash.disarm()
        case.launch()
        case.run()
        case.settle()
        return {"hub": podium.crash.crossings("hub", "before"), "agent": podium.crash.crossings("agent", "before")}


def serve(podium: Installation) -> None:
    try:
        podium.start()
    except HubGone:
        podium.start()

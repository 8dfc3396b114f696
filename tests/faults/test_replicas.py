"""Two hubs on one PostgreSQL: every one serves, one leads, and the other takes over when that one is lost."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlmodel import select

from hub.environments.lease import Lease
from hub.environments.model import Environment, Phase, Start
from tests.faults.case import NAME, Case
from tests.faults.forge import Forge
from tests.faults.hubs import Hub
from tests.faults.installation import Installation, installed
from tests.faults.machine import Kind, of_kind
from tests.support import postgresql

LAUNCHES = 100


@pytest.fixture
def podium(hubs: Forge, tmp_path: Path, postgresql_server: postgresql.Server) -> Iterator[Installation]:
    """Room for two environments at once."""
    name = postgresql_server.create()
    with installed(hubs, tmp_path, database_url=postgresql_server.url(name), memory_for_environments="512Mi") as installation:
        yield installation
    postgresql_server.drop(name)


@pytest.fixture
def leader(podium: Installation) -> Hub:
    """The first hub, which holds the lease. Commands go to the other one from here on."""
    leader = podium.hub
    podium.until(lambda: holder(podium), "somebody leads")
    podium.start_replica()
    return leader


def holder(podium: Installation) -> str | None:
    with podium.database.reading() as session:
        return session.exec(select(Lease.holder).where(Lease.name == "controller")).first()


@pytest.mark.case("R20")
def test_the_other_hub_takes_over_when_the_leader_is_killed_during_a_launch(podium: Installation, leader: Hub) -> None:
    case = Case(podium)
    first = holder(podium)
    case.launch()
    leader.kill()
    case.run()
    case.settle()
    assert holder(podium) != first
    case.write()
    case.act("restart")
    case.run()
    case.settle()


@pytest.mark.case("R20")
def test_a_leader_that_was_halted_and_comes_back_does_no_harm(podium: Installation, leader: Hub) -> None:
    os.kill(leader.pid, signal.SIGSTOP)
    try:
        case = Case(podium)
        case.launch()
        case.run()
    finally:
        os.kill(leader.pid, signal.SIGCONT)
    case.act("stop")
    case.until(Phase.STOPPED)
    case.settle()


@pytest.mark.case("R8")
def test_a_hundred_launches_through_two_hubs_at_once_make_one_environment_each(podium: Installation, leader: Hub) -> None:
    for _ in range(LAUNCHES):
        request = {"act": "launch", "user": podium.new_user(), "on": NAME}
        for hub in (leader, podium.hub):
            hub.send(request)
        assert len({hub.answer() for hub in (leader, podium.hub)}) == 1
    podium.until(lambda: len(of_kind(Kind.SERVER, podium.running())) == 2, "both places are taken")
    with podium.database.reading() as session:
        environments = session.exec(select(Environment)).all()
        starts = session.exec(select(Start)).all()
    assert len(environments) == LAUNCHES
    assert len({start.environment_id for start in starts}) == len(starts)
    podium.until(
        lambda: {process.start for process in podium.running()} - {""} == {start.id for start in starts}, "one run each"
    )

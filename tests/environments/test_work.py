"""All that runs is looked at in time, and what a copy of the cluster does not show for a moment is left alone."""

import pytest

from hub.environments import work
from hub.environments.model import Phase
from hub.environments.observing import Observed
from hub.environments.views import EnvironmentFilter
from hub.environments.work import Patrol
from tests.support.environment_hub import Hub


@pytest.fixture
def observed(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> Observed:
    """Of a hub that has not heard of any of the three that run."""
    monkeypatch.setattr(work, "PATROL_EVERY", 0.0)
    hub.start_controller()
    for name in ("ada", "bob", "eve"):
        person = hub.person(name)
        hub.until(person, hub.launch(person), lambda seen: seen.phase is Phase.RUNNING)
    hub.stop_controller()
    found = Observed(hub.spawner, lambda: None)
    found.synced = True
    return found


@pytest.mark.case("R6")
def test_nobody_waits_for_starts_of_others_that_wait_for_nodes(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "BATCH", 2)
    hub.spawner.halts_at = 1
    hub.start_controller()
    for name in ("ada", "bob", "eve"):
        person = hub.person(name)
        hub.until(person, hub.launch(person), lambda seen: seen.phase is Phase.STARTING)
    eve = hub.environments.search(person, EnvironmentFilter())[0][0]
    hub.environments.stop(person, eve.id)
    hub.until(person, eve, lambda seen: seen.phase is Phase.STOPPED)
    hub.until(person, hub.launch(person, "another"), lambda seen: seen.phase is Phase.STARTING)


def due(hub: Hub, patrol: Patrol) -> int:
    with hub.database.reading() as session:
        return len(patrol.due(session))


def test_one_that_is_missing_is_believed_when_it_is_missing_for_a_while(
    hub: Hub, observed: Observed, monkeypatch: pytest.MonkeyPatch
) -> None:
    patrol = Patrol({"local": observed})
    assert [due(hub, patrol) for _ in range(3)] == [0, 0, 0]
    monkeypatch.setattr(work, "MISSING_FOR", 0.0)
    assert due(hub, patrol) == 3


def test_in_a_silent_cluster_none_is_missing(hub: Hub, observed: Observed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "MISSING_FOR", 0.0)
    observed.synced = False
    patrol = Patrol({"local": observed})
    assert [due(hub, patrol) for _ in range(3)] == [0, 0, 0]


def test_it_goes_round_all_that_run_a_few_at_a_time(hub: Hub, observed: Observed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "MISSING_FOR", 0.0)
    monkeypatch.setattr(work, "PATROL", 2)
    patrol = Patrol({"local": observed})
    assert [due(hub, patrol) for _ in range(4)] == [2, 1, 2, 1]

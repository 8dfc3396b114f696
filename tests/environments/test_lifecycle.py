"""From a click to a running environment and back, over a real database and a spawner in memory."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import select

from hub.environments import steps
from hub.environments.launching import LaunchOrder
from hub.environments.model import Phase, Start, Target
from hub.environments.views import EnvironmentView
from hub.errors import ClusterSilent, DatabaseSilent
from hub.identity.person import Person
from hub.spawners.base import Ending, StartSpec
from tests.support.environment_hub import Hub


def test_a_launch_becomes_running_with_every_checkpoint_in_order(hub: Hub) -> None:
    ada = hub.person("ada")
    hub.start_controller()
    view = hub.until(ada, hub.launch(ada), lambda seen: seen.phase is Phase.RUNNING)
    assert [point["name"] for point in view.checkpoints] == list(hub.spawner.checkpoints)
    assert view.upstream == f"unix:/nowhere/{view.start_id}"


@pytest.mark.parametrize("reached", [0, 1, 2])
def test_a_start_that_halts_shows_the_checkpoints_it_reached_and_not_one_more(hub: Hub, reached: int) -> None:
    ada = hub.person("ada")
    hub.spawner.halts_at = reached
    hub.start_controller()
    view = hub.launch(ada)
    view = hub.until(ada, view, lambda seen: seen.phase is Phase.STARTING and len(seen.checkpoints) == reached)
    assert [point["name"] for point in view.checkpoints] == list(hub.spawner.checkpoints[:reached])


def test_a_second_click_returns_the_same_environment_and_starts_nothing_more(hub: Hub) -> None:
    ada = hub.person("ada")
    hub.start_controller()
    first, second = hub.launch(ada), hub.launch(ada)
    assert first.id == second.id
    hub.until(ada, first, lambda seen: seen.phase is Phase.RUNNING)
    assert hub.launch(ada).id == first.id
    assert len(hub.spawner.specs) == 1


def test_stop_ends_the_run_and_keeps_the_workspace_for_the_next_one(hub: Hub) -> None:
    ada = hub.person("ada")
    hub.start_controller()
    view = hub.until(ada, hub.launch(ada), lambda seen: seen.phase is Phase.RUNNING)
    hub.environments.stop(ada, view.id)
    stopped = hub.until(ada, view, lambda seen: seen.phase is Phase.STOPPED)
    assert stopped.reason is None
    hub.environments.relaunch(ada, view.id)
    again = hub.until(ada, view, lambda seen: seen.phase is Phase.RUNNING)
    assert again.workspace_id == view.workspace_id
    assert again.start_id != view.start_id
    assert {spec.workspace_id for spec in hub.spawner.specs} == {view.workspace_id}


def test_restart_ends_the_present_run_and_begins_another(hub: Hub) -> None:
    ada = hub.person("ada")
    hub.start_controller()
    view = hub.until(ada, hub.launch(ada), lambda seen: seen.phase is Phase.RUNNING)
    hub.environments.restart(ada, view.id)
    hub.until(ada, view, lambda seen: seen.phase is Phase.RUNNING and seen.start_id != view.start_id)


def test_cancel_ends_a_start_that_hangs(hub: Hub) -> None:
    ada, view = half_started(hub)
    hub.environments.stop(ada, view.id)
    hub.until(ada, view, lambda seen: seen.phase is Phase.STOPPED)


@pytest.mark.parametrize(
    ("why", "words"),
    [
        (Ending.EXITED, "ended by itself"),
        (Ending.KILLED, "ended from outside"),
        (Ending.OUT_OF_MEMORY, "Out of memory. It reached its limit of 2.1 GB"),
        (Ending.TOO_MANY_PROCESSES, "more processes than allowed"),
        (Ending.NEVER_STARTED, "could not be started"),
    ],
)
def test_what_ends_by_itself_is_failed_with_its_reason_and_not_restarted(hub: Hub, why: Ending, words: str) -> None:
    ada = hub.person("ada")
    hub.start_controller()
    view = hub.until(ada, hub.launch(ada), lambda seen: seen.phase is Phase.RUNNING)
    hub.spawner.end(view.start_id or "", why)
    failed = hub.until(ada, view, lambda seen: seen.phase is Phase.FAILED)
    assert failed.target is Target.STOPPED
    assert words in (failed.reason or "")
    assert "Your files are safe." in (failed.reason or "")
    assert len(hub.spawner.specs) == 1


def lost_and_back(hub: Hub, person: Person, view: EnvironmentView) -> EnvironmentView:
    """The infrastructure takes the run, and another one has begun."""
    hub.spawner.end(view.start_id or "", Ending.LOST)
    return hub.until(person, view, lambda seen: seen.phase is Phase.RUNNING and seen.start_id != view.start_id)


def test_what_the_infrastructure_took_is_restarted_three_times_and_then_failed(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = hub.person("ada")
    monkeypatch.setattr("hub.environments.lifecycle._BACK_OFF", timedelta(0))
    hub.start_controller()
    view = hub.until(ada, hub.launch(ada), lambda seen: seen.phase is Phase.RUNNING)
    for _ in range(3):
        view = lost_and_back(hub, ada, view)
        assert view.reason
        assert view.reason.startswith("The machine that it ran on was lost. Your files are safe. It was started again")
    hub.spawner.end(view.start_id or "", Ending.LOST, detail="The node was low on resource: memory.")
    failed = hub.until(ada, view, lambda seen: seen.phase is Phase.FAILED)
    assert failed.reason
    assert "lost several times" in failed.reason
    assert "It was lost: The node was low on resource: memory." in failed.reason


@pytest.mark.parametrize(
    ("log", "words"),
    [
        ("", "The log says what it did last."),
        ("\n\n", "The log says what it did last."),
        ("one\ntwo\n\nthree\x1b[31m\nfour\n", "Its log ends with “two / three[31m / four”."),
        ("x" * 5000, f"Its log ends with “{'x' * 300}”."),
    ],
)
def test_what_ended_by_itself_says_what_it_wrote_last(hub: Hub, log: str, words: str) -> None:
    ada = hub.person("ada")
    hub.start_controller()
    view = hub.until(ada, hub.launch(ada), lambda seen: seen.phase is Phase.RUNNING)
    hub.spawner.said = log
    hub.spawner.end(view.start_id or "", Ending.EXITED, exit_code=1)
    failed = hub.until(ada, view, lambda seen: seen.phase is Phase.FAILED)
    assert failed.reason == f"It ended by itself with exit code 1. Your files are safe. {words} Launch it again."


@pytest.mark.case("R4")
def test_what_a_run_suffers_from_is_told_while_it_runs_and_while_it_stops(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    ada = hub.person("ada")
    hub.spawner.hindrance = "Its machine does not answer"
    hub.start_controller()
    view = hub.until(ada, hub.launch(ada), lambda seen: seen.phase is Phase.RUNNING)
    assert hub.environments.hindrance(view) == "Its machine does not answer"
    monkeypatch.setattr(hub.spawner, "stop", lambda _: None)
    hub.environments.stop(ada, view.id)
    stopping = hub.until(ada, view, lambda seen: seen.phase is Phase.STOPPING)
    assert hub.environments.hindrance(stopping) == "Its machine does not answer"


def test_losses_count_anew_after_a_run_that_was_steady(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    ada = hub.person("ada")
    monkeypatch.setattr("hub.environments.lifecycle._BACK_OFF", timedelta(0))
    monkeypatch.setattr("hub.environments.steps.STEADY", timedelta(0))
    hub.start_controller()
    view = hub.until(ada, hub.launch(ada), lambda seen: seen.phase is Phase.RUNNING)
    first = view.start_id
    for _ in range(5):
        view = lost_and_back(hub, ada, view)
    assert view.phase is Phase.RUNNING
    assert view.start_id != first


def test_a_run_that_the_far_side_no_longer_knows_counts_as_lost(hub: Hub) -> None:
    ada = hub.person("ada")
    hub.start_controller()
    view = hub.until(ada, hub.launch(ada), lambda seen: seen.phase is Phase.RUNNING)
    hub.spawner.vanish(view.start_id or "")
    hub.spawner.hang_up()
    hub.until(ada, view, lambda seen: seen.phase is Phase.QUEUED)


def test_a_silent_cluster_changes_no_phase(hub: Hub) -> None:
    ada = hub.person("ada")
    hub.start_controller()
    view = hub.until(ada, hub.launch(ada), lambda seen: seen.phase is Phase.RUNNING)
    hub.spawner.silent = True
    hub.spawner.hang_up()
    observed = hub.controller.observed["local"]
    hub.until(ada, view, lambda _seen: observed.silent_since is not None)
    assert hub.environments.get(ada, view.id).phase is Phase.RUNNING
    hub.environments.stop(ada, view.id)
    hub.until(ada, view, lambda seen: seen.phase is Phase.STOPPING)
    hub.spawner.silent = False
    hub.until(ada, view, lambda seen: seen.phase is Phase.STOPPED)


@pytest.mark.case("R15")
def test_a_start_that_waits_says_for_what_and_so_does_its_end(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    ada = hub.person("ada")
    hub.spawner.halts_at, hub.spawner.hindrance = 1, "No node can take it: 3 Insufficient cpu"
    hub.start_controller()
    view = hub.launch(ada)
    starting = hub.until(ada, view, lambda seen: len(seen.checkpoints) == 1)
    assert hub.environments.hindrance(starting) == "No node can take it: 3 Insufficient cpu"
    monkeypatch.setattr("hub.environments.lifecycle.START_DEADLINE", timedelta(0))
    failed = hub.until(ada, view, lambda seen: seen.phase is Phase.FAILED)
    assert failed.reason
    assert failed.reason.startswith("It was not ready in time, so it was stopped. No node can take it: 3 Insufficient cpu.")
    assert hub.environments.hindrance(failed) == ""


@pytest.mark.case("R6")
def test_a_start_that_waits_too_long_in_a_silent_cluster_is_not_given_up(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    ada, view = half_started(hub)
    hub.spawner.silent = True
    hub.spawner.hang_up()
    hub.until(ada, view, lambda _: not hub.controller.observed["local"].synced)
    monkeypatch.setattr("hub.environments.lifecycle.START_DEADLINE", timedelta(0))
    hub.controller.round()
    assert hub.environments.get(ada, view.id).phase is Phase.STARTING
    hub.spawner.silent = False
    hub.until(ada, view, lambda seen: seen.phase is Phase.FAILED)


@pytest.mark.case("R6")
def test_what_a_silent_cluster_could_not_be_told_to_end_is_told_again(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    ada, view = half_started(hub)
    [spec] = hub.spawner.specs
    told: list[str] = []
    stop = hub.spawner.stop

    def silent_at_first(start_id: str) -> None:
        told.append(start_id)
        if len(told) < 3:
            raise ClusterSilent
        stop(start_id)

    monkeypatch.setattr(hub.spawner, "stop", silent_at_first)
    monkeypatch.setattr("hub.environments.lifecycle.START_DEADLINE", timedelta(0))
    hub.until(ada, view, lambda seen: seen.phase is Phase.FAILED)
    hub.until(ada, view, lambda _: not hub.spawner.is_held(view.workspace_id))
    assert len(told) >= 3
    assert set(told) == {spec.start_id}


def test_delete_while_starting_ends_the_start_and_keeps_the_workspace_unless_asked(hub: Hub) -> None:
    ada, view = half_started(hub)
    hub.environments.delete(ada, view.id, "analysis", with_workspace=False)
    other = hub.launch(ada, "other")
    hub.until(ada, other, lambda _: hub.is_deleted(view))
    assert not hub.spawner.is_held(view.workspace_id)
    assert {space.name for space in hub.workspaces.search(ada)[0]} == {"other", "analysis"}


@pytest.mark.case("R1")
def test_a_new_controller_goes_on_where_the_old_one_was_cut_off(hub: Hub) -> None:
    ada = hub.person("ada")
    view = hub.launch(ada)
    for _ in range(8):
        hub.controller.round()
        hub.new_controller()
    hub.start_controller()
    hub.until(ada, view, lambda seen: seen.phase is Phase.RUNNING)
    assert len({spec.start_id for spec in hub.spawner.specs}) == 1
    with hub.database.reading() as session:
        assert len(session.exec(select(Start)).all()) == 1


def test_what_runs_without_a_row_that_wants_it_is_ended(hub: Hub) -> None:
    ada = hub.person("ada")
    hub.start_controller()
    view = hub.until(ada, hub.launch(ada), lambda seen: seen.phase is Phase.RUNNING)
    stray = replace(hub.spawner.specs[0], start_id="f" * 32, workspace_id="e" * 32)
    hub.spawner.start(stray)
    hub.until(ada, view, lambda _seen: "f" * 32 not in hub.spawner.known)
    assert hub.environments.get(ada, view.id).phase is Phase.RUNNING


def test_those_that_do_not_fit_are_queued_in_order_and_start_when_there_is_room(hub: Hub) -> None:
    hub.spawner.capacity = 2 * 256 * 2**20
    people = [hub.person(f"person{number}") for number in range(4)]
    hub.start_controller()
    views = []
    for person in people:
        views.append(hub.launch(person))
        hub.until(person, views[-1], lambda seen: seen.phase in {Phase.RUNNING, Phase.QUEUED})
    hub.until(people[1], views[1], lambda seen: seen.phase is Phase.RUNNING)
    positions = [hub.environments.get(person, view.id).queue_position for person, view in zip(people, views, strict=True)]
    assert positions == [None, None, 1, 2]
    hub.environments.stop(people[0], views[0].id)
    hub.until(people[2], views[2], lambda seen: seen.phase is Phase.RUNNING)
    assert hub.environments.get(people[3], views[3].id).queue_position == 1


def test_launching_again_under_the_same_name_takes_the_new_preset(hub: Hub) -> None:
    ada = hub.person("ada")
    hub.start_controller()
    view = hub.until(ada, hub.launch(ada), lambda seen: seen.phase is Phase.RUNNING)
    hub.environments.stop(ada, view.id)
    hub.until(ada, view, lambda seen: seen.phase is Phase.STOPPED)
    again = hub.environments.launch(ada, LaunchOrder("analysis", "Heavy"))
    assert (again.id, again.profile, again.cpu) == (view.id, "Heavy", 4)


def test_a_step_that_fails_in_a_way_that_nobody_foresaw_holds_up_nobody_else(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    ada, bob = hub.person("ada"), hub.person("bob")
    first, second = hub.launch(ada), hub.launch(bob)
    start = hub.spawner.start

    def failing(spec: StartSpec) -> None:
        if spec.environment_id == first.id:
            raise OverflowError("a number that no database takes")
        start(spec)

    monkeypatch.setattr(hub.spawner, "start", failing)
    hub.start_controller()
    hub.until(bob, second, lambda seen: seen.phase is Phase.RUNNING)
    monkeypatch.setattr(hub.spawner, "start", start)
    hub.until(ada, first, lambda seen: seen.phase is Phase.RUNNING)


@pytest.mark.case("R11")
def test_news_that_a_silent_database_kept_from_being_acted_on_is_not_lost(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    ada = hub.person("ada")
    hub.start_controller()
    view = hub.until(ada, hub.launch(ada), lambda seen: seen.phase is Phase.RUNNING)
    tried: list[str] = []
    fail = steps.fail

    def silent_at_first(*arguments: Any, **more: Any) -> None:
        tried.append(arguments[1])
        if len(tried) < 3:
            raise DatabaseSilent
        fail(*arguments, **more)

    monkeypatch.setattr(steps, "fail", silent_at_first)
    hub.spawner.end(hub.spawner.specs[0].start_id, Ending.EXITED, exit_code=1)
    hub.until(ada, view, lambda seen: seen.phase is Phase.FAILED)
    assert tried == [view.id] * 3


@pytest.mark.case("R3")
def test_a_run_that_went_while_no_hub_was_there_to_hear_of_it_is_restarted(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    ada = hub.person("ada")
    hub.start_controller()
    view = hub.until(ada, hub.launch(ada), lambda seen: seen.phase is Phase.RUNNING)
    hub.stop_controller()
    hub.spawner.known.clear()
    hub.new_controller()
    monkeypatch.setattr("hub.environments.work.MISSING_FOR", 0.5)
    monkeypatch.setattr("hub.environments.lifecycle._BACK_OFF", timedelta(0))
    hub.start_controller()
    again = hub.until(ada, view, lambda seen: seen.phase is Phase.RUNNING and seen.start_id != view.start_id, seconds=40)
    assert [spec.start_id for spec in hub.spawner.specs] == [view.start_id, again.start_id]


@pytest.mark.case("R14")
def test_the_place_of_a_start_that_failed_is_given_up(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pod whose image cannot be had has ended for Podium, and would go on asking for it."""
    ada, view = half_started(hub)
    stopped: list[str] = []
    monkeypatch.setattr(hub.spawner, "stop", stopped.append)
    hub.spawner.end(hub.spawner.specs[0].start_id, Ending.NEVER_STARTED)
    hub.until(ada, view, lambda seen: seen.phase is Phase.FAILED and len(stopped) > 0)
    assert set(stopped) == {hub.spawner.specs[0].start_id}


def half_started(hub: Hub) -> tuple[Person, EnvironmentView]:
    """Somebody whose environment halts at its first checkpoint."""
    ada = hub.person("ada")
    hub.spawner.halts_at = 1
    hub.start_controller()
    return ada, hub.until(ada, hub.launch(ada), lambda seen: len(seen.checkpoints) == 1)

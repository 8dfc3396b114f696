"""Workspaces outlive environments, and go only when somebody says so."""

from datetime import timedelta

import pytest

from hub.clock import now
from hub.environments.model import Environment, Phase
from hub.environments.views import EnvironmentView
from hub.errors import ClusterSilent, Conflict, Invalid, NotFound
from hub.spawners.base import Size
from hub.workspaces.keeper import Keeper
from hub.workspaces.model import Workspace, WorkspaceState
from tests.support.environment_hub import Hub


def test_a_workspace_stays_when_its_environment_is_deleted_and_launches_again(hub: Hub) -> None:
    ada = hub.person("ada")
    hub.start_controller()
    view = hub.until(ada, hub.launch(ada), lambda seen: seen.phase is Phase.RUNNING)
    other = hub.launch(ada, "other")
    hub.environments.delete(ada, view.id, view.name, with_workspace=False)
    hub.until(ada, other, lambda _: not hub.spawner.is_held(view.workspace_id) and hub.is_deleted(view))
    again = hub.launch(ada, "next", workspace_id=view.workspace_id)
    assert hub.until(ada, again, lambda seen: seen.phase is Phase.RUNNING).workspace_id == view.workspace_id


def test_deleting_the_environment_with_its_workspace_deletes_the_files(hub: Hub) -> None:
    ada = hub.person("ada")
    hub.start_controller()
    view = hub.until(ada, hub.launch(ada), lambda seen: seen.phase is Phase.RUNNING)
    other = hub.launch(ada, "other")
    hub.environments.delete(ada, view.id, view.name, with_workspace=True)
    hub.until(ada, other, lambda _: [space.name for space in hub.workspaces.search(ada)[0]] == ["other"])
    Keeper(hub.database, {"local": hub.spawner}).round()
    assert view.workspace_id not in hub.spawner.workspaces


def test_sizes_are_measured_beside_the_requests(hub: Hub) -> None:
    ada = hub.person("ada")
    hub.start_controller()
    hub.until(ada, hub.launch(ada), lambda seen: seen.phase is Phase.RUNNING)
    assert hub.workspaces.search(ada)[0][0].size is None
    Keeper(hub.database, {"local": hub.spawner}).round()
    [view] = hub.workspaces.search(ada)[0]
    assert (view.size, view.capacity) == (1234, 10_000)


def test_a_silent_cluster_delays_a_deletion_and_loses_nothing(hub: Hub) -> None:
    ada = hub.person("ada")
    workspace_id = hub.workspaces.create(ada, "old")
    hub.spawner.workspaces.add(workspace_id)
    hub.workspaces.delete(ada, workspace_id, "old")
    hub.spawner.silent = True
    keeper = Keeper(hub.database, {"local": hub.spawner})
    keeper.round()
    assert workspace_id in hub.spawner.workspaces
    hub.spawner.silent = False
    keeper.round()
    assert workspace_id not in hub.spawner.workspaces


def test_workspaces_that_do_not_go_keep_nobody_from_the_others(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.workspaces.keeper.BATCH", 2)
    ada = hub.person("ada")
    given_up = sorted(hub.workspaces.create(ada, f"old {number}") for number in range(5))
    for workspace_id in given_up:
        hub.spawner.workspaces.add(workspace_id)
        with hub.database.writing("given up") as session:
            session.get_one(Workspace, workspace_id).state = WorkspaceState.DELETING
    delete = hub.spawner.delete_workspace

    def some_stay(workspace_id: str) -> None:
        if workspace_id != given_up[-1]:
            raise ClusterSilent
        delete(workspace_id)

    monkeypatch.setattr(hub.spawner, "delete_workspace", some_stay)
    keeper = Keeper(hub.database, {"local": hub.spawner})
    for _ in range(3):
        keeper.round()
    assert hub.spawner.workspaces == set(given_up[:-1])


def test_a_size_in_use_is_measured_anew_when_its_far_side_calls_it_old(hub: Hub) -> None:
    view = hub.launch(hub.person("ada"))
    hub.controller.round()
    keeper = Keeper(hub.database, {"local": hub.spawner})
    moment = now() - timedelta(minutes=10)
    with hub.database.writing("measured before") as session:
        session.get_one(Environment, view.id).phase = Phase.RUNNING
        row = session.get_one(Workspace, view.workspace_id)
        row.size, row.size_at, row.last_used_at = 1, moment, moment
    hub.spawner.size_stays = timedelta(hours=1)
    keeper.round()
    assert size_of(hub, view.workspace_id) == 1
    hub.spawner.size_stays = timedelta(minutes=5)
    keeper.round()
    assert size_of(hub, view.workspace_id) != 1


def test_what_cannot_be_measured_is_not_tried_again_at_once_and_keeps_nobody_else_waiting(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    view, other = running(hub, "ada"), running(hub, "bob")
    keeper, asked = Keeper(hub.database, {"local": hub.spawner}), []

    def size(workspace_id: str) -> Size:
        asked.append(workspace_id)
        if workspace_id == view.workspace_id:
            raise ClusterSilent
        return Size(7)

    monkeypatch.setattr(hub.spawner, "workspace_size", size)
    for _ in range(3):
        keeper.round()
    assert asked.count(view.workspace_id) == 1
    assert size_of(hub, other.workspace_id) == 7


def test_what_is_starting_is_not_measured_yet(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever measures would wait for its node."""
    hub.launch(hub.person("ada"))
    asked: list[str] = []
    monkeypatch.setattr(hub.spawner, "workspace_size", asked.append)
    hub.controller.round()
    Keeper(hub.database, {"local": hub.spawner}).round()
    assert asked == []


def running(hub: Hub, name: str) -> EnvironmentView:
    person = hub.person(name)
    if not hub.threads:
        hub.start_controller()
    return hub.until(person, hub.launch(person), lambda seen: seen.phase is Phase.RUNNING)


def size_of(hub: Hub, workspace_id: str) -> int | None:
    with hub.database.reading() as session:
        return session.get_one(Workspace, workspace_id).size


def test_delete_wants_the_name_typed_and_no_environment_that_has_it(hub: Hub) -> None:
    ada = hub.person("ada")
    view = hub.launch(ada)
    with pytest.raises(Invalid, match="Type the name “analysis” exactly"):
        hub.workspaces.delete(ada, view.workspace_id, "other")
    with pytest.raises(Conflict, match="The environment “analysis” has this workspace"):
        hub.workspaces.delete(ada, view.workspace_id, "analysis")


def test_somebody_elses_workspace_is_unknown(hub: Hub) -> None:
    workspace_id = hub.workspaces.create(hub.person("ada"), "mine")
    bob = hub.person("bob")
    with pytest.raises(NotFound):
        hub.workspaces.archive(bob, workspace_id)
    with pytest.raises(NotFound):
        hub.workspaces.delete(bob, workspace_id, "mine")


def test_the_archive_is_streamed_from_the_spawner_under_the_workspaces_name(hub: Hub) -> None:
    ada = hub.person("ada")
    workspace_id = hub.workspaces.create(ada, "Анализ")
    name, chunks = hub.workspaces.archive(ada, workspace_id)
    assert name == "Анализ.tar.gz"
    assert b"".join(chunks) == workspace_id.encode()

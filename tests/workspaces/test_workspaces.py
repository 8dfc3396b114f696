"""Workspaces outlive environments, and go only when somebody says so."""

import pytest

from hub.environments.model import Phase
from hub.errors import Conflict, Invalid, NotFound
from hub.workspaces.keeper import Keeper
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
    assert hub.workspaces.search(ada)[0][0].size == 1234


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

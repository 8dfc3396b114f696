"""What administrators see of everybody's workspaces, and of volumes that belong to none."""

import pytest

from hub.clock import new_id
from hub.errors import ClusterSilent, NotFound
from hub.identity.roles import Role
from hub.workspaces.everybodys import Everybodys
from hub.workspaces.model import Workspace, WorkspaceState
from tests.support.environment_hub import Hub


@pytest.fixture
def everybodys(hub: Hub) -> Everybodys:
    return Everybodys(hub.database, {"local": hub.spawner})


def test_an_administrator_finds_everybody_s_by_name_and_owner_in_the_order_asked_for(hub: Hub, everybodys: Everybodys) -> None:
    root = hub.person("root", Role.ADMINISTRATOR)
    ada, grace = hub.person("ada"), hub.person("grace")
    for owner, name in ((ada, "Engines"), (ada, "Notes"), (grace, "Compilers")):
        hub.workspaces.create(owner, name)
    views, total = everybodys.search(root, sort="name")
    assert ([view.name for view in views], total) == (["Compilers", "Engines", "Notes"], 3)
    assert [view.owner for view in everybodys.search(root, "ada")[0]] == ["Ada", "Ada"]
    assert [view.name for view in everybodys.search(root, "ngin")[0]] == ["Engines"]
    page, total = everybodys.search(root, page=1, size=2, sort="name")
    assert ([view.name for view in page], total) == (["Notes"], 3)


def test_what_is_being_deleted_is_shown_as_such_and_what_is_gone_is_not(hub: Hub, everybodys: Everybodys) -> None:
    root, ada = hub.person("root", Role.ADMINISTRATOR), hub.person("ada")
    going, gone = (hub.workspaces.create(ada, name) for name in ("Going", "Gone"))
    with hub.database.writing("test") as session:
        session.get_one(Workspace, going).state = WorkspaceState.DELETING
        session.get_one(Workspace, gone).state = WorkspaceState.DELETED
    [view] = everybodys.search(root)[0]
    assert (view.name, view.deleting) == ("Going", True)


def test_a_volume_that_no_workspace_has_is_an_orphan(hub: Hub, everybodys: Everybodys) -> None:
    root, ada = hub.person("root", Role.ADMINISTRATOR), hub.person("ada")
    kept, dropped, unknown = hub.workspaces.create(ada, "Kept"), hub.workspaces.create(ada, "Dropped"), new_id()
    with hub.database.writing("test") as session:
        session.get_one(Workspace, dropped).state = WorkspaceState.DELETED
    hub.spawner.workspaces |= {kept, dropped, unknown, *(new_id() for _ in range(2000))}
    found = {orphan.volume.workspace_id for orphan in everybodys.orphans(root)}
    assert {dropped, unknown} <= found
    assert kept not in found
    assert len(found) == 2002
    hub.spawner.silent = True
    with pytest.raises(ClusterSilent):
        everybodys.orphans(root)


def test_for_others_there_is_no_such_thing(hub: Hub, everybodys: Everybodys) -> None:
    ada = hub.person("ada")
    with pytest.raises(NotFound):
        everybodys.search(ada)
    with pytest.raises(NotFound):
        everybodys.orphans(ada)
    assert everybodys.search(hub.person("eve", Role.AUDITOR))[1] == 0

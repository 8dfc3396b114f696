"""The one door to workspaces: list, archive, delete. Nobody here opens a workspace's path.

Files may belong to another user of the machine, another container, a volume: their size, archive
and deletion are calls of the spawner.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func
from sqlmodel import Session, col, select

from hub.audit.service import record
from hub.database import Database, holding
from hub.environments.model import Environment, Phase, Target
from hub.environments.names import checked_name
from hub.errors import Conflict, Invalid, NotFound
from hub.identity.person import Person
from hub.spawners.base import Spawner
from hub.workspaces.model import Workspace, WorkspaceState

PAGE = 20
LARGEST_PAGE = 200
_used = func.coalesce(Workspace.last_used_at, Workspace.created_at)
SORTS: dict[str, ColumnElement[Any]] = {
    "name": col(Workspace.name).asc(),
    "-name": col(Workspace.name).desc(),
    "used_at": _used.asc(),
    "-used_at": _used.desc(),
    "size": col(Workspace.size).asc().nulls_last(),
    "-size": col(Workspace.size).desc().nulls_last(),
}
USED_LAST = "-used_at"
_UNKNOWN = "This workspace does not exist, or it is not yours."


@dataclass(frozen=True)
class WorkspaceView:
    """`used_by` names the own environments that have it.

    `size` in bytes, None while unmeasured; `capacity` is what its volume holds at most, None where it has no end of its own.
    """

    id: str
    name: str
    size: int | None
    capacity: int | None
    size_at: datetime | None
    created_at: datetime
    last_used_at: datetime | None
    used_by: tuple[str, ...]
    running: bool


class Workspaces:
    """Safe to share between threads. New ones go to the cluster `home`; `wake` tells the keeper of something to delete."""

    def __init__(self, database: Database, spawners: Mapping[str, Spawner], home: str, wake: Callable[[], None]) -> None:
        self._database, self._spawners, self._home, self._wake = database, spawners, home, wake

    def search(
        self, person: Person, text: str = "", page: int = 0, size: int = PAGE, sort: str = USED_LAST
    ) -> tuple[list[WorkspaceView], int]:
        """A page of the person's workspaces, those used last first, and how many there are: three queries."""
        mine = [col(Workspace.owner_id) == person.user_id, col(Workspace.state) == WorkspaceState.PRESENT]
        if text:
            mine.append(holding(text, Workspace.name))
        size = min(size, LARGEST_PAGE)
        query = select(Workspace).where(*mine).order_by(SORTS[sort], col(Workspace.id)).limit(size).offset(page * size)
        with self._database.reading() as session:
            rows = session.exec(query).all()
            users = _users(session, [row.id for row in rows])
            total = session.exec(select(func.count()).select_from(Workspace).where(*mine)).one()
        return [_view(row, users.get(row.id, [])) for row in rows], total

    def get(self, person: Person, workspace_id: str) -> WorkspaceView:
        """One of the person's own. Raises `NotFound`."""
        with self._database.reading() as session:
            row = _own(session, person, workspace_id)
            return _view(row, _users(session, [row.id]).get(row.id, []))

    def create(self, person: Person, name: str) -> str:
        """A new, empty workspace; the id. Its folder or volume is made by the first launch."""
        workspace = Workspace(owner_id=person.user_id, name=checked_name(name, "workspace"), cluster_id=self._home)
        with self._database.writing("create workspace") as session:
            session.add(workspace)
            record(session, person, "workspace created", workspace.id, name=workspace.name)
        return workspace.id

    def archive(self, person: Person, workspace_id: str) -> tuple[str, Iterator[bytes]]:
        """A file name and a tar.gz, streamed. Raises `NotFound`, `ClusterSilent`."""
        with self._database.writing("workspace archive") as session:
            workspace = _own(session, person, workspace_id)
            record(session, person, "workspace downloaded", workspace.id, name=workspace.name)
        return f"{workspace.name}.tar.gz", self._spawners[workspace.cluster_id].workspace_archive(workspace.id)

    def delete(self, person: Person, workspace_id: str, typed_name: str) -> None:
        """Delete for good. Raises `Invalid` for a mistyped name, `Conflict` while an environment has it."""
        with self._database.writing("delete workspace") as session:
            workspace = _own(session, person, workspace_id)
            if typed_name.strip() != workspace.name:
                raise Invalid(f"Type the name “{workspace.name}” exactly, then delete.")
            users = [name for name, _ in _users(session, [workspace.id]).get(workspace.id, [])]
            if users:
                raise Conflict(
                    f"The environment “{users[0]}” has this workspace. Delete the environment first; then this works."
                )
            workspace.state = WorkspaceState.DELETING
            record(session, person, "workspace deleted", workspace.id, name=workspace.name)
        self._wake()


def _own(session: Session, person: Person, workspace_id: str) -> Workspace:
    workspace = session.exec(select(Workspace).where(Workspace.id == workspace_id).with_for_update()).first()
    if workspace is None or workspace.owner_id != person.user_id or workspace.state is not WorkspaceState.PRESENT:
        raise NotFound(_UNKNOWN)
    return workspace


def _users(session: Session, workspace_ids: list[str]) -> dict[str, list[tuple[str, Phase]]]:
    rows = session.exec(
        select(Environment.workspace_id, Environment.name, Environment.phase)
        .where(col(Environment.workspace_id).in_(workspace_ids), Environment.target != Target.DELETED)
        .order_by(col(Environment.name))
    ).all()
    users: dict[str, list[tuple[str, Phase]]] = {}
    for workspace_id, name, phase in rows:
        users.setdefault(workspace_id, []).append((name, Phase(phase)))
    return users


def _view(row: Workspace, users: list[tuple[str, Phase]]) -> WorkspaceView:
    return WorkspaceView(
        id=row.id,
        name=row.name,
        size=row.size,
        capacity=row.capacity,
        size_at=row.size_at,
        created_at=row.created_at,
        last_used_at=row.last_used_at,
        used_by=tuple(name for name, _ in users),
        running=any(phase not in {Phase.STOPPED, Phase.FAILED} for _, phase in users),
    )

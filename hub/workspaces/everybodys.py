"""Everybody's workspaces, for administrators and auditors: whose, how large, last used when; and volumes that nobody has."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func
from sqlmodel import Session, col, select

from hub.database import Database, holding
from hub.errors import NotFound
from hub.identity.model import User
from hub.identity.person import Person
from hub.spawners.base import Spawner, Volume
from hub.workspaces.model import Workspace, WorkspaceState
from hub.workspaces.service import LARGEST_PAGE, SORTS, USED_LAST

PAGE = 50
_AT_ONCE = 1000
"""Ids that one query asks for."""


@dataclass(frozen=True)
class OwnedView:
    """`size` in bytes in use when last measured, and `capacity`, which its volume holds at most; None where it is not known."""

    id: str
    name: str
    owner: str
    cluster_id: str
    size: int | None
    capacity: int | None
    size_at: datetime | None
    created_at: datetime
    last_used_at: datetime | None
    deleting: bool


@dataclass(frozen=True)
class Orphan:
    """A volume of a cluster that belongs to no workspace."""

    cluster_id: str
    volume: Volume


class Everybodys:
    """Safe to share between threads. Every method raises `NotFound` for whoever may not see everything."""

    def __init__(self, database: Database, spawners: Mapping[str, Spawner]) -> None:
        self._database, self._spawners = database, spawners

    def search(
        self, person: Person, text: str = "", page: int = 0, size: int = PAGE, sort: str = USED_LAST
    ) -> tuple[list[OwnedView], int]:
        """A page of all that are there or about to go, and how many they are; `text` is looked for in names and owners."""
        _check(person)
        which = [col(Workspace.state) != WorkspaceState.DELETED]
        if text:
            which.append(holding(text, Workspace.name, User.display_name, User.name))
        size = min(size, LARGEST_PAGE)
        query = select(Workspace, User.display_name).join(User, col(User.id) == col(Workspace.owner_id)).where(*which)
        paged = query.order_by(SORTS[sort], col(Workspace.id)).limit(size).offset(page * size)
        with self._database.reading() as session:
            total = session.exec(select(func.count()).select_from(query.subquery())).one()
            return [_view(row, owner) for row, owner in session.exec(paged).all()], total

    def orphans(self, person: Person) -> list[Orphan]:
        """Volumes that no workspace has. One question to each cluster. Raises `ClusterSilent`."""
        _check(person)
        found = {cluster_id: spawner.volumes() for cluster_id, spawner in self._spawners.items()}
        with self._database.reading() as session:
            return [
                Orphan(cluster_id, volume)
                for cluster_id, volumes in found.items()
                for volume in _without_workspace(session, volumes)
            ]


def _check(person: Person) -> None:
    if not person.sees_all:
        raise NotFound("This page does not exist.")


def _without_workspace(session: Session, volumes: list[Volume]) -> list[Volume]:
    ids = [volume.workspace_id for volume in volumes]
    known: set[str] = set()
    for first in range(0, len(ids), _AT_ONCE):
        some = col(Workspace.id).in_(ids[first : first + _AT_ONCE])
        known.update(session.exec(select(Workspace.id).where(some, Workspace.state != WorkspaceState.DELETED)).all())
    return [volume for volume in volumes if volume.workspace_id not in known]


def _view(row: Workspace, owner: str) -> OwnedView:
    return OwnedView(
        id=row.id,
        name=row.name,
        owner=owner,
        cluster_id=row.cluster_id,
        size=row.size,
        capacity=row.capacity,
        size_at=row.size_at,
        created_at=row.created_at,
        last_used_at=row.last_used_at,
        deleting=row.state is WorkspaceState.DELETING,
    )

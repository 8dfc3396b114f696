"""What others may see of environments: plain frozen rows for pages, routing and the API."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func
from sqlmodel import Session, col, select

from hub.database import holding
from hub.environments.model import LIVE, Environment, Phase, Start, Target
from hub.identity.model import User
from hub.workspaces.model import Workspace

LARGEST_PAGE = 200
SORTS: dict[str, ColumnElement[Any]] = {
    "name": col(Environment.name).asc(),
    "-name": col(Environment.name).desc(),
    "since": col(Environment.phase_since).asc(),
    "-since": col(Environment.phase_since).desc(),
    "created_at": col(Environment.created_at).asc(),
    "-created_at": col(Environment.created_at).desc(),
}
CHANGED_LAST = "-since"


@dataclass(frozen=True)
class EnvironmentFilter:
    """`text` is looked for in names of environments and owners; `live`: queued, starting, running or stopping."""

    text: str = ""
    phase: Phase | None = None
    live: bool = False

    def conditions(self) -> list[ColumnElement[bool]]:
        found: list[ColumnElement[bool]] = []
        if self.text:
            found.append(holding(self.text, Environment.name, User.display_name, User.name))
        if self.phase:
            found.append(col(Environment.phase) == self.phase)
        if self.live:
            found.append(col(Environment.phase).in_(LIVE))
        return found


@dataclass(frozen=True)
class EnvironmentView:
    """One environment with its workspace, its owner and its present or last run."""

    id: str
    slug: str
    name: str
    owner_id: str
    owner: str
    profile: str
    cpu: float
    memory: int
    storage: int
    workspace_id: str
    workspace: str
    cluster_id: str
    target: Target
    phase: Phase
    since: datetime
    reason: str | None
    queue_position: int | None
    checkpoints: tuple[dict[str, str], ...]
    started_at: datetime | None
    start_id: str | None
    upstream: str | None
    key_id: str | None
    peak_memory: int | None

    @property
    def environment_id(self) -> str:
        """The same as `id`, under the name that routing's protocol has for it."""
        return self.id

    @property
    def is_live(self) -> bool:
        """Whether something of it is queued, runs, or is about to end."""
        return self.phase not in {Phase.STOPPED, Phase.FAILED} or self.target is Target.RUNNING


def read_views(
    session: Session, *conditions: ColumnElement[bool], limit: int, offset: int = 0, sort: str = CHANGED_LAST
) -> list[EnvironmentView]:
    """Views of the environments that meet the conditions, those that changed last first: two queries."""
    rows = session.exec(
        select(Environment, User, Workspace, Start)
        .join(User, col(User.id) == col(Environment.owner_id))
        .join(Workspace, col(Workspace.id) == col(Environment.workspace_id))
        .join(Start, col(Start.id) == col(Environment.start_id), isouter=True)
        .where(col(Environment.deleted_at).is_(None), *conditions)
        .order_by(SORTS[sort], col(Environment.id))
        .limit(limit)
        .offset(offset)
    ).all()
    positions = _queue_positions(session, [environment for environment, *_ in rows])
    return [_view(*row, positions.get(row[0].id)) for row in rows]


def count(session: Session, *conditions: ColumnElement[bool]) -> int:
    """How many environments meet the conditions."""
    query = select(func.count()).select_from(Environment).join(User, col(User.id) == col(Environment.owner_id))
    return session.exec(query.where(col(Environment.deleted_at).is_(None), *conditions)).one()


def _queue_positions(session: Session, environments: Sequence[Environment]) -> dict[str, int]:
    """1 for the next to start. Counted in the database, for the queued ones among the rows at hand."""
    queued = [environment.id for environment in environments if environment.phase is Phase.QUEUED]
    if not queued:
        return {}
    place = func.row_number().over(
        partition_by=col(Environment.cluster_id), order_by=(col(Environment.queued_at), col(Environment.id))
    )
    line = select(Environment.id, place.label("place")).where(Environment.phase == Phase.QUEUED).subquery()
    return dict(session.exec(select(line.c.id, line.c.place).where(line.c.id.in_(queued))).all())


def _view(
    environment: Environment, owner: User, workspace: Workspace, start: Start | None, position: int | None
) -> EnvironmentView:
    present = start if environment.phase in {Phase.STARTING, Phase.RUNNING, Phase.STOPPING} else None
    return EnvironmentView(
        id=environment.id,
        slug=environment.slug,
        name=environment.name,
        owner_id=environment.owner_id,
        owner=owner.display_name,
        profile=environment.profile,
        cpu=environment.cpu_limit,
        memory=environment.memory_limit,
        storage=environment.storage,
        workspace_id=environment.workspace_id,
        workspace=workspace.name,
        cluster_id=environment.cluster_id,
        target=environment.target,
        phase=environment.phase,
        since=environment.phase_since,
        reason=environment.reason,
        queue_position=position,
        checkpoints=tuple(present.checkpoints) if present else (),
        started_at=present.created_at if present else None,
        start_id=environment.start_id,
        upstream=start.upstream if start and environment.phase is Phase.RUNNING else None,
        key_id=start.key_id if start else None,
        peak_memory=start.peak_memory if start else None,
    )

"""What others may see of environments: plain frozen rows for pages, routing and the API."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, bindparam, func
from sqlalchemy import select as columns
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


_ROWS: Select[*tuple[Any, ...]] = (
    columns(
        col(Environment.id), col(Environment.slug), col(Environment.name), col(Environment.owner_id),
        col(User.display_name).label("owner"), col(Environment.profile), col(Environment.cpu_limit).label("cpu"),
        col(Environment.memory_limit).label("memory"), col(Environment.storage), col(Environment.workspace_id),
        col(Workspace.name).label("workspace"), col(Environment.cluster_id), col(Environment.target), col(Environment.phase),
        col(Environment.phase_since).label("since"), col(Environment.reason), col(Start.checkpoints),
        col(Start.created_at).label("started_at"), col(Environment.start_id), col(Start.upstream), col(Start.key_id),
        col(Start.peak_memory),
    )
    .join_from(Environment, User, col(User.id) == col(Environment.owner_id))
    .join(Workspace, col(Workspace.id) == col(Environment.workspace_id))
    .join(Start, col(Start.id) == col(Environment.start_id), isouter=True)
    .where(col(Environment.deleted_at).is_(None))
)  # fmt: skip
_BY_SLUGS = _ROWS.where(
    col(Environment.slug).in_(bindparam("slugs", expanding=True)), col(Environment.target) != Target.DELETED
)


def read_views(
    session: Session, *conditions: ColumnElement[bool], limit: int, offset: int = 0, sort: str = CHANGED_LAST
) -> list[EnvironmentView]:
    """Views of the environments that meet the conditions, those that changed last first: two queries."""
    page = _ROWS.where(*conditions).order_by(SORTS[sort], col(Environment.id)).limit(limit).offset(offset)
    return _views(session, session.execute(page).all())


def by_slugs(session: Session, slugs: Collection[str]) -> dict[str, EnvironmentView]:
    """Those with these addresses that are not being deleted."""
    rows = session.execute(_BY_SLUGS, {"slugs": list(slugs)}).all()
    return {view.slug: view for view in _views(session, rows)}


def count(session: Session, *conditions: ColumnElement[bool]) -> int:
    """How many environments meet the conditions."""
    query = select(func.count()).select_from(Environment).join(User, col(User.id) == col(Environment.owner_id))
    return session.exec(query.where(col(Environment.deleted_at).is_(None), *conditions)).one()


def _views(session: Session, rows: Sequence[Row[Any]]) -> list[EnvironmentView]:
    positions = _queue_positions(session, [row.id for row in rows if row.phase is Phase.QUEUED])
    return [_view(row, positions.get(row.id)) for row in rows]


def _queue_positions(session: Session, queued: Sequence[str]) -> dict[str, int]:
    """1 for the next to start. Counted in the database, for the queued ones among the rows at hand."""
    if not queued:
        return {}
    place = func.row_number().over(
        partition_by=col(Environment.cluster_id), order_by=(col(Environment.queued_at), col(Environment.id))
    )
    line = select(Environment.id, place.label("place")).where(Environment.phase == Phase.QUEUED).subquery()
    return dict(session.exec(select(line.c.id, line.c.place).where(line.c.id.in_(queued))).all())


def _view(row: Row[Any], position: int | None) -> EnvironmentView:
    values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for a row by its columns
    is_present = row.phase in {Phase.STARTING, Phase.RUNNING, Phase.STOPPING}
    values["checkpoints"] = tuple(row.checkpoints or ()) if is_present else ()
    values["started_at"] = row.started_at if is_present else None
    values["upstream"] = row.upstream if row.phase is Phase.RUNNING else None
    return EnvironmentView(**values, queue_position=position)

"""Which environments a round of the controller looks at: a few queries, however many there are."""

from collections.abc import Collection, Mapping
from time import monotonic

from sqlalchemy import case
from sqlmodel import Session, col, or_, select
from sqlmodel.sql.expression import SelectOfScalar

from hub.environments.model import LIVE, Environment, Phase, Start, Target
from hub.environments.observing import Observed
from hub.spawners.base import State

Row = tuple[Environment, Start | None]

BATCH = 500
"""How many environments one query gives at most."""
PATROL, PATROL_EVERY = 100, 1.0
"""How many of those that run are looked at without news of them, and after how many seconds the next ones."""
MISSING_FOR = 10.0
"""Seconds for which one that should run has to be missing before it is believed: a copy of the cluster may be behind."""


def due(session: Session, clusters: Collection[str], changed: Collection[str]) -> list[Row]:
    """Those with work, in the order of the queue, then those of whose starts there is news; some twice.

    Starts come last: however many wait for nodes, nobody's launch or stop waits for them.
    """
    wanted = col(Environment.target) == Target.RUNNING
    has_work = or_(
        wanted & col(Environment.phase).in_((Phase.STOPPED, Phase.FAILED, Phase.QUEUED, Phase.STARTING)),
        ~wanted & col(Environment.phase).in_(LIVE),
        col(Environment.phase) == Phase.STOPPING,
        (col(Environment.target) == Target.DELETED) & col(Environment.deleted_at).is_(None),
    )
    starts = case((wanted & (col(Environment.phase) == Phase.STARTING), 1), else_=0)
    queue = _rows(clusters).where(has_work).order_by(starts, col(Environment.queued_at), col(Environment.id)).limit(BATCH)
    found = list(session.exec(queue).all())
    if changed:
        found += session.exec(_rows(clusters).where(col(Environment.start_id).in_(changed))).all()
    return found


def _rows(clusters: Collection[str]) -> "SelectOfScalar[tuple[Environment, Start | None]]":
    query = select(Environment, Start).join(Start, col(Start.id) == col(Environment.start_id), isouter=True)
    return query.where(col(Environment.cluster_id).in_(clusters))  # type: ignore[return-value]


class Patrol:
    """Goes round all that run, a few at a time: news that this hub or the one before it has missed is made up for."""

    def __init__(self, observed: Mapping[str, Observed]) -> None:
        self._observed = observed
        self._after = ""
        self._next_at = 0.0
        self._missing: dict[str, float] = {}
        """Starts that were not there on the last way round, and since when, on the monotonic clock."""
        self._still: dict[str, float] = {}
        """The same of this way round."""

    def due(self, session: Session) -> list[Row]:
        """Of the next ones those that are not as they should be."""
        if monotonic() < self._next_at:
            return []
        self._next_at = monotonic() + PATROL_EVERY
        runs = (Environment.target == Target.RUNNING, Environment.phase == Phase.RUNNING, col(Environment.id) > self._after)
        found = session.exec(_rows(self._observed).where(*runs).order_by(col(Environment.id)).limit(PATROL)).all()
        self._after = found[-1][0].id if len(found) == PATROL else ""
        wrong = [(environment, start) for environment, start in found if self._is_wrong(environment)]
        if not self._after:
            self._missing, self._still = self._still, {}
        return wrong

    def _is_wrong(self, environment: Environment) -> bool:
        seen, start_id = self._observed[environment.cluster_id], environment.start_id or ""
        observation = seen.of(start_id)
        if observation is not None:
            return observation.state is State.ENDED
        if not seen.synced:
            return False
        since = self._still[start_id] = self._missing.get(start_id, monotonic())
        return monotonic() - since >= MISSING_FOR

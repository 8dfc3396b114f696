"""Strays: what runs though no row wants it, and what is kept of runs that were followed by others."""

from sqlmodel import col, select

from hub.database import Database
from hub.environments.model import Environment, Phase
from hub.environments.observing import Observed
from hub.environments.orders import order_forget, order_stop
from hub.environments.work import BATCH
from hub.errors import ClusterSilent
from hub.spawners.base import Observation, Spawner, State

_WANTED = {Phase.STARTING, Phase.RUNNING, Phase.STOPPING}


def clear(database: Database, spawner: Spawner, seen: Observed) -> None:
    """Compare with the rows what was observed since the last time; a silent cluster is asked again in the next round."""
    suspects = seen.unchecked(BATCH)
    if not suspects:
        return
    phases = _phases(database, [item.start_id for item in suspects])
    for item in suspects:
        try:
            _clear(spawner, seen, item, phases.get(item.start_id))
        except ClusterSilent:
            return
        seen.checked(item)


def _phases(database: Database, start_ids: list[str]) -> dict[str | None, Phase]:
    """Of the environments whose present run has one of these ids."""
    present = (col(Environment.start_id).in_(start_ids), col(Environment.deleted_at).is_(None))
    with database.reading() as session:
        found = session.exec(select(Environment.start_id, Environment.phase).where(*present)).all()
    return {start_id: Phase(phase) for start_id, phase in found}


def _clear(spawner: Spawner, seen: Observed, item: Observation, phase: Phase | None) -> None:
    """One that has failed may hold its place without running, such as a pod whose image cannot be had."""
    has_ended = item.state is State.ENDED
    if has_ended and phase is None:
        order_forget(spawner, item.start_id)
        seen.drop(item.start_id)
    elif phase is Phase.FAILED or (not has_ended and phase not in _WANTED):
        order_stop(spawner, item.start_id)

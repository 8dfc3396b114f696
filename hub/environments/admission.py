"""Admission: who of the queue may start now, so that memory requests never exceed the machine.

The queue is strictly in order: nobody overtakes, so a large environment is not starved by small ones.
"""

from sqlalchemy import func
from sqlmodel import Session, col, select

from hub.clock import now
from hub.environments.model import Environment, Phase

_HOLDING = (Phase.STARTING, Phase.RUNNING, Phase.STOPPING)


def fits(session: Session, environment: Environment, capacity: int | None) -> bool:
    """Whether it is this environment's turn and its request fits beside those that hold memory."""
    if capacity is None:
        return True
    if not _is_first(session, environment):
        return False
    return requested(session, environment.cluster_id)[1] + environment.memory_request <= capacity


def requested(session: Session, cluster_id: str) -> tuple[float, int]:
    """The cores and the bytes of memory that environments of a cluster ask for together."""
    sums = func.sum(Environment.cpu_request), func.sum(Environment.memory_request)
    holding = col(Environment.phase).in_(_HOLDING), Environment.cluster_id == cluster_id
    cpu, memory = session.exec(select(*sums).where(*holding)).one()
    return float(cpu or 0), int(memory or 0)


def _is_first(session: Session, environment: Environment) -> bool:
    """Those that wait for their back-off do not hold up the queue."""
    waiting = (col(Environment.retry_at).is_(None)) | (col(Environment.retry_at) <= now())
    first = session.exec(
        select(Environment.id)
        .where(Environment.phase == Phase.QUEUED, Environment.cluster_id == environment.cluster_id, waiting)
        .order_by(col(Environment.queued_at), col(Environment.id))
        .limit(1)
    ).first()
    return first == environment.id

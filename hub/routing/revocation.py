"""Ended sessions that running environments must hear of.

Whoever ends a session writes it down here in the same transaction, so that no crash can lose it;
`hub.routing.control` delivers the rows until each run has acknowledged them. In this process the
news counts at once: `listeners` hear it as soon as the transaction is committed.
"""

from collections.abc import Callable, Collection

from sqlalchemy import event
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from hub.environments.model import Environment, Start
from hub.routing.model import Revocation

Listener = Callable[[Collection[str]], None]

listeners: list[Listener] = []
"""Called with session ids after the commit that ended them, in the thread that committed."""


def write(session: Session, session_ids: Collection[str], user_id: str) -> None:
    """Within the caller's transaction: a row for each of these sessions and each run of the user's environments.

    Runs that have not ended are meant, those that are still starting included. A row that exists
    already stays as it is.
    """
    if not session_ids:
        return
    rows = session.exec(select(Revocation).where(col(Revocation.session_id).in_(session_ids))).all()
    known = {(row.session_id, row.start_id) for row in rows}
    starts = session.exec(_runs_of(user_id)).all()
    session.add_all(
        Revocation(session_id=session_id, start_id=start_id)
        for start_id in starts
        for session_id in session_ids
        if (session_id, start_id) not in known
    )
    ended = frozenset(session_ids)
    event.listen(session, "after_commit", lambda _: _tell(ended), once=True)


def _tell(session_ids: Collection[str]) -> None:
    for listener in listeners:
        listener(session_ids)


def _runs_of(user_id: str) -> SelectOfScalar[str]:
    runs = select(Start.id).join(Environment, col(Environment.id) == col(Start.environment_id))
    return runs.where(Environment.owner_id == user_id, col(Start.ended_at).is_(None))

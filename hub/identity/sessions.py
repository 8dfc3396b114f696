"""Logged-in browsers: opened at login, resolved at every request, ended once and for all.

The cookie holds 256 random bits and the database their SHA-256, so ending a session is one row's
change and counts at the next request on every replica. What is open already (page sockets here,
environments' sockets elsewhere) hears of it through the revocations, which are written in the
same transaction.
"""

from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, bindparam, update
from sqlalchemy import select as columns
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from hub.clock import now
from hub.database import Database, UtcDateTime
from hub.errors import DatabaseSilent
from hub.identity.model import LoginSession, User
from hub.identity.person import Person
from hub.identity.tokens import digest, new_token
from hub.routing import revocation

SEEN_EVERY = timedelta(minutes=10)
"""How exactly it is known when a session was used last: one small write in that time, not one for each request."""


@dataclass(frozen=True)
class SessionView:
    """One of a person's own sessions, as the account page lists it."""

    id: str
    address: str
    user_agent: str
    created_at: datetime
    expires_at: datetime
    last_seen_at: datetime


class Sessions:
    """Safe to share between threads. Every method raises `DatabaseSilent` where the database does not answer."""

    def __init__(self, database: Database, lifetime: timedelta) -> None:
        self.lifetime = lifetime
        self._database = database

    def open(self, user_id: str, address: str, user_agent: str) -> str:
        """A new session for that user; the token is what the cookie holds."""
        with self._database.writing("session opened") as session:
            return self.open_in(session, user_id, address, user_agent)

    def open_in(
        self,
        session: Session,
        user_id: str,
        address: str,
        user_agent: str,
        login_id: str | None = None,
        provider_session: str | None = None,
    ) -> str:
        """As `open`, within the caller's transaction. The login, and the provider's own session, may end it later."""
        token = new_token()
        session.add(
            LoginSession(
                token_hash=digest(token),
                user_id=user_id,
                expires_at=now() + self.lifetime,
                address=address[:64],
                user_agent=user_agent[:255],
                login_id=login_id,
                provider_session=provider_session,
            )
        )
        return token

    def resolve(self, token: str) -> Person | None:
        """Whose session it is; None where it is unknown, ended, expired, or its user is disabled."""
        return self.of_tokens([token]).get(token)

    def of_tokens(self, tokens: Collection[str]) -> dict[str, Person]:
        """As `resolve`, for many at once; those that count for nothing are left out."""
        asked = {digest(token): token for token in tokens}
        return {asked[row.token_hash]: person for row, person in self.people(_BY_TOKENS, hashes=list(asked))}

    def by_id(self, session_id: str) -> Person | None:
        """As `resolve`, for a session that the identity middleware has already recognised."""
        return next((person for _, person in self.people(_BY_ID, session_id=session_id)), None)

    def is_over(self, session_id: str) -> bool:
        """Whether something long that it began has to end. A silent database cuts nobody off."""
        try:
            return self.by_id(session_id) is None
        except DatabaseSilent:
            return False

    def people(self, which: Select[*tuple[Any, ...]], **values: Any) -> list[tuple[Row[Any], Person]]:
        """The sessions that `which` finds: `PEOPLE` with a condition on `bindparam`s that `values` fill."""
        with self._database.reading() as session:
            rows = session.execute(which, {"now": now(), **values}).all()
        lately = now() - SEEN_EVERY
        for row in rows:
            if (row.last_seen_at or row.created_at) <= lately:
                self._see(row.session_id)
        return [(row, _person(row)) for row in rows]

    def _see(self, session_id: str) -> None:
        """Note that the session was used, now and then; a database that cannot write does not keep anybody out."""
        with suppress(DatabaseSilent), self._database.writing("session seen") as session:
            session.execute(update(LoginSession).where(col(LoginSession.id) == session_id).values(last_seen_at=now()))

    def of_user(self, user_id: str) -> list[SessionView]:
        """That user's sessions which are alive, newest first."""
        query = select(LoginSession).where(col(LoginSession.user_id) == user_id, *_open())
        with self._database.reading() as session:
            rows = session.exec(query.order_by(col(LoginSession.created_at).desc()).limit(100)).all()
        return [
            SessionView(
                row.id, row.address, row.user_agent, row.created_at, row.expires_at, row.last_seen_at or row.created_at
            )
            for row in rows
        ]  # fmt: skip

    def ended_among(self, session_ids: Collection[str]) -> set[str]:
        """Those of the ids that are ended, expired, unknown, or whose user is disabled. One query."""
        if not session_ids:
            return set()
        query = select(LoginSession.id).join(User, col(User.id) == col(LoginSession.user_id))
        with self._database.reading() as session:
            alive = session.exec(query.where(col(LoginSession.id).in_(session_ids), *_alive())).all()
        return set(session_ids) - set(alive)

    def end(self, session_id: str, why: str) -> None:
        """End one session; nothing happens where it has ended already."""
        with self._database.writing("session ended") as session:
            self.end_in(session, col(LoginSession.id) == session_id, why)

    def end_all(self, user_id: str, why: str, but: str | None = None) -> None:
        """End every session of a user, except the one named."""
        with self._database.writing("sessions ended") as session:
            self.end_in(session, sessions_of(user_id, but), why)

    def end_in(self, session: Session, which: ColumnElement[bool], why: str) -> list[LoginSession]:
        """End sessions within the caller's transaction, those that were still open."""
        rows = session.exec(select(LoginSession).where(which, *_open())).all()
        moment = now()
        owners: dict[str, list[str]] = {}
        for row in rows:
            row.ended_at, row.ended_why = moment, why[:100]
            owners.setdefault(row.user_id, []).append(row.id)
        session.flush()
        for user_id, ids in owners.items():
            revocation.write(session, ids, user_id)
        return list(rows)


def sessions_of(user_id: str, but: str | None = None) -> ColumnElement[bool]:
    """The condition that picks a user's sessions, except the one named."""
    return (col(LoginSession.user_id) == user_id) & (col(LoginSession.id) != (but or ""))


def with_tokens(tokens: Collection[str]) -> ColumnElement[bool]:
    """The condition that picks the sessions whose cookies a browser sent."""
    return col(LoginSession.token_hash).in_([digest(token) for token in tokens])


def over(user_id: str) -> SelectOfScalar[str]:
    """Picks the ids of a user's sessions that count for nothing any more."""
    return select(LoginSession.id).where(col(LoginSession.user_id) == user_id, ~and_(*_open()))


def _open(moment: Any = None) -> tuple[ColumnElement[bool], ...]:
    return (col(LoginSession.ended_at).is_(None), col(LoginSession.expires_at) > (now() if moment is None else moment))


def _alive(moment: Any = None) -> tuple[ColumnElement[bool], ...]:
    return (*_open(moment), col(User.disabled_at).is_(None))


def _person(row: Row[Any]) -> Person:
    return Person(row.user_id, row.name, row.display_name, row.email, row.role, row.session_id, row.expires_at)


PEOPLE: Select[*tuple[Any, ...]] = (
    columns(
        col(LoginSession.id).label("session_id"), col(LoginSession.token_hash), col(LoginSession.expires_at),
        col(LoginSession.created_at), col(LoginSession.last_seen_at), col(User.id).label("user_id"), col(User.name),
        col(User.display_name), col(User.email), col(User.role),
    )
    .join_from(LoginSession, User, col(User.id) == col(LoginSession.user_id))
    .where(*_alive(bindparam("now", type_=UtcDateTime)))
)  # fmt: skip
"""Sessions that count and whose they are. Made once: every request asks, and making it costs more than the answer."""
_BY_TOKENS = PEOPLE.where(col(LoginSession.token_hash).in_(bindparam("hashes", expanding=True)))
_BY_ID = PEOPLE.where(col(LoginSession.id) == bindparam("session_id"))

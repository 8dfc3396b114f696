"""API tokens: a program's way in on behalf of a person, with no more rights than that person has.

A token is shown once; the database holds its SHA-256. Its scopes name what it may do, and the person's
role limits them at each use, so that whoever loses a role loses it for the tokens as well.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, update
from sqlmodel import Session, col, select

from hub.audit.service import record
from hub.clock import now
from hub.database import Database
from hub.environments.names import checked_name
from hub.errors import Invalid, LimitReached, NotFound, Refused
from hub.identity.model import ApiToken, Approval, User
from hub.identity.person import Person
from hub.identity.scopes import SCOPES, Caller
from hub.identity.tokens import digest, new_token

PREFIX = "podium_"
LONGEST_DAYS = 366
MOST = 50
"""Live tokens of one person."""
USED_EVERY = timedelta(minutes=5)


@dataclass(frozen=True)
class TokenView:
    """A token as its owner sees it; its value is nowhere."""

    id: str
    name: str
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None


class ApiTokens:
    """Safe to share between threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, caller: Caller, name: str, scopes: Collection[str], days: int) -> tuple[TokenView, str]:
        """A new token and its value, which nobody sees again. Raises `Invalid`, `Refused`, `LimitReached`."""
        name, person = checked_name(name, "token"), caller.person
        self._check(caller, scopes, days)
        secret = PREFIX + new_token()
        row = ApiToken(
            user_id=person.user_id, name=name, token_hash=digest(secret), scopes=sorted(scopes),
            expires_at=now() + timedelta(days=days),
        )  # fmt: skip
        with self._database.writing("token created") as session:
            alive = session.exec(select(func.count()).select_from(ApiToken).where(*_alive(person.user_id))).one()
            if alive >= MOST:
                raise LimitReached(f"You have {alive} tokens, and {MOST} are the most. Revoke one that you do not need.")
            session.add(row)
            record(session, person, "token created", row.id, name=name, scopes=" ".join(row.scopes))
        return _view(row), secret

    @staticmethod
    def _check(caller: Caller, scopes: Collection[str], days: int) -> None:
        if unknown := set(scopes) - set(SCOPES):
            raise Invalid(f"There is no scope {min(unknown)[:60]!r}.")
        if not scopes:
            raise Invalid("Choose at least one thing that the token may do.")
        if not 1 <= days <= LONGEST_DAYS:
            raise Invalid(f"A token lasts 1 to {LONGEST_DAYS} days.")
        if beyond := set(scopes) - caller.scopes:
            raise Refused(f"You cannot give a token more than you have yourself: {min(beyond)}.")

    def of(self, person: Person, page: int = 0, size: int = MOST) -> tuple[list[TokenView], int]:
        """The person's tokens that still count, newest first, and how many there are."""
        alive = _alive(person.user_id)
        query = select(ApiToken).where(*alive).order_by(col(ApiToken.created_at).desc(), col(ApiToken.id))
        with self._database.reading() as session:
            rows = session.exec(query.limit(size).offset(page * size)).all()
            total = session.exec(select(func.count()).select_from(ApiToken).where(*alive)).one()
        return [_view(row) for row in rows], total

    def revoke(self, person: Person, token_id: str) -> None:
        """From now on it opens nothing. Raises `NotFound` for one that is not the person's."""
        with self._database.writing("token revoked") as session:
            row = session.exec(select(ApiToken).where(ApiToken.id == token_id, *_alive(person.user_id))).first()
            if row is None:
                raise NotFound("There is no such token, or it is revoked already.")
            row.revoked_at = now()
            record(session, person, "token revoked", row.id, name=row.name)

    def resolve(self, secret: str, address: str) -> Caller | None:
        """Who calls with this token; None where it is unknown, over, revoked, or its owner may not enter."""
        if not secret.startswith(PREFIX):
            return None
        moment = now()
        query = (
            select(ApiToken, User)
            .join(User, col(User.id) == col(ApiToken.user_id))
            .where(
                col(ApiToken.token_hash) == digest(secret), col(ApiToken.revoked_at).is_(None),
                col(ApiToken.expires_at) > moment, col(User.disabled_at).is_(None), col(User.approval) != Approval.PENDING,
            )
        )  # fmt: skip
        with self._database.reading() as session:
            row = session.exec(query).first()
        if row is None:
            return None
        token, user = row
        self._note_use(token, moment)
        person = Person(user.id, user.name, user.display_name, user.email, user.role, "", token.expires_at, address)
        return Caller.limited(person, token.scopes, token.id)

    def _note_use(self, token: ApiToken, moment: datetime) -> None:
        if token.last_used_at and moment - token.last_used_at < USED_EVERY:
            return
        with self._database.writing("token used") as session:
            session.execute(update(ApiToken).where(col(ApiToken.id) == token.id).values(last_used_at=moment))


def revoke_all_in(session: Session, user_id: str) -> None:
    """Within the caller's transaction: none of this person's tokens counts any more."""
    session.execute(update(ApiToken).where(*_alive(user_id)).values(revoked_at=now()))


def _alive(user_id: str) -> tuple[ColumnElement[bool], ...]:
    return (col(ApiToken.user_id) == user_id, col(ApiToken.revoked_at).is_(None), col(ApiToken.expires_at) > now())


def _view(row: ApiToken) -> TokenView:
    return TokenView(row.id, row.name, tuple(row.scopes), row.created_at, row.expires_at, row.last_used_at)

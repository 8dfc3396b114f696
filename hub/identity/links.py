"""One-time links with which a person sets the own password.

Administrators make them, and `up` makes the very first one; nobody but the person ever knows the
password. A link works once and for a day, and a newer one makes the older worthless.
"""

from dataclasses import dataclass
from datetime import timedelta

from sqlmodel import Session, select

from hub.audit.service import record
from hub.clock import now
from hub.errors import Refused
from hub.identity import codes, users
from hub.identity.model import Login, User
from hub.identity.roles import Role

LIFETIME = timedelta(hours=24)
_AT_ONCE = timedelta(minutes=2)
"""Within this time several hubs of one installation may start."""

FIRST = "first"
"""The purpose of the link that also chooses the first administrator's name."""
PURPOSES = (FIRST, users.PASSWORD)

GONE = "This link was used already, or it is older than a day. Ask an administrator for a new one."
_PLACEHOLDER = "administrator"
_ISSUER = "local"


@dataclass(frozen=True)
class LinkView:
    """What the page of a link needs to draw itself."""

    chooses_name: bool
    name: str
    display_name: str


def make(session: Session, user_id: str, purpose: str) -> str:
    """A newer link takes the place of an older one. Hubs that start at once each print one for the first administrator."""
    codes.withdraw(session, purpose, user_id, now() + LIFETIME - _AT_ONCE if purpose == FIRST else None)
    return codes.issue(session, purpose, user_id, LIFETIME)


def first_administrator(session: Session) -> User | None:
    """The administrator who has no login yet, made where there is none; None once one can log in."""
    if users.administrator_can_log_in(session):
        return None
    waiting = session.exec(select(User).where(User.role == Role.ADMINISTRATOR).order_by(User.created_at)).first()  # type: ignore[arg-type]
    if waiting is None:
        waiting = users.create(session, _PLACEHOLDER, "Administrator", Role.ADMINISTRATOR)
        record(session, None, "user added", waiting.id, name=waiting.name, role=waiting.role)
    return waiting


def look(session: Session, token: str) -> LinkView | None:
    """None where the link cannot be used any more."""
    row = codes.find(session, token, PURPOSES)
    if row is None or _overtaken(session, row.purpose):
        return None
    user = users.get(session, row.user_id)
    return None if user.disabled_at else LinkView(row.purpose == FIRST, user.name, user.display_name)


def use(session: Session, token: str, name: str, display_name: str, password_hash: str) -> User:
    """Store the password's hash. Raises `Refused` where the link is gone; after any error it stays as good as it was."""
    row = codes.find(session, token, PURPOSES)
    if row is None or _overtaken(session, row.purpose) or not codes.spend(session, token, row.purpose):
        raise Refused(GONE)
    user = users.get(session, row.user_id)
    if user.disabled_at:
        raise Refused(GONE)
    if row.purpose == FIRST:
        _rename(session, user, name, display_name)
    store(session, user, password_hash)
    record(session, user.id, "password set by link", user.id)
    return user


def store(session: Session, user: User, password_hash: str) -> None:
    """Keep a user's password hash, and withdraw the links that could still replace it."""
    login = users.password_login(session, user.id)
    if login is None:
        login = Login(user_id=user.id, kind=users.PASSWORD, issuer=_ISSUER, subject=user.id)
    login.password_hash = password_hash
    session.add(login)
    for purpose in (*PURPOSES, codes.LOGIN):
        codes.withdraw(session, purpose, user.id)


def _overtaken(session: Session, purpose: str) -> bool:
    return purpose == FIRST and users.administrator_can_log_in(session)


def _rename(session: Session, user: User, name: str, display_name: str) -> None:
    name = users.checked_name(name)
    if name != user.name:
        users.require_free(session, name)
    user.name, user.display_name = name, users.checked_display_name(display_name)
    session.add(user)
    session.flush()

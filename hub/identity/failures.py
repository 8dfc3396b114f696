"""Wrong passwords of a name, counted in the database for all replicas and all addresses together.

What one address may try is the throttle's matter, in each replica's memory. This stops who guesses one name from many
addresses: after `MOST` wrong ones within an hour, the name opens only where it was used before. So a stranger locks nobody
out of the places where they work, and a password link opens the name everywhere again. A name that does not exist is
counted all the same, so that nothing tells which do.
"""

from datetime import timedelta

from sqlalchemy import delete, func
from sqlmodel import Session, col, select

from hub.clock import now
from hub.database import Database
from hub.errors import Refused
from hub.identity.model import LoginFailure, LoginSession, User
from hub.identity.throttle import network_of
from hub.identity.tokens import digest

MOST = 100
WITHIN = timedelta(hours=1)
KNOWN_FOR = timedelta(days=90)
"""How long a place counts after a login there."""
_PLACES = 50
_GUESSED = (
    "Many wrong passwords were tried for this name. For an hour it opens only at places where you logged in before; "
    "an administrator can make you a password link that opens it here."
)


class Failures:
    """Safe to share between threads. `name` is a folded user name."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def refuse_guessing(self, name: str, address: str) -> None:
        """Raises `Refused` where too many passwords were tried and this address is none of the person's."""
        counted = select(func.count()).select_from(LoginFailure).where(
            LoginFailure.name_hash == digest(name), col(LoginFailure.at) > now() - WITHIN
        )  # fmt: skip
        with self._database.reading() as session:
            if session.exec(counted).one() >= MOST and network_of(address) not in _places(session, name):
                raise Refused(_GUESSED)

    def note(self, name: str) -> None:
        """Count one more; what is older is swept out on the way."""
        with self._database.writing("login failed") as session:
            session.execute(delete(LoginFailure).where(col(LoginFailure.at) <= now() - WITHIN))
            session.add(LoginFailure(name_hash=digest(name)))


def forget_in(session: Session, name: str) -> None:
    """In the caller's transaction: a new password begins anew."""
    session.execute(delete(LoginFailure).where(col(LoginFailure.name_hash) == digest(name)))


def _places(session: Session, name: str) -> set[str]:
    """The networks of this person's last logins."""
    query = select(LoginSession.address).join(User, col(User.id) == col(LoginSession.user_id))
    recent = query.where(User.name == name, col(LoginSession.created_at) > now() - KNOWN_FOR)
    rows = session.exec(recent.order_by(col(LoginSession.created_at).desc()).limit(_PLACES)).all()
    return {network_of(address) for address in rows if address}

"""One-time secrets: login codes, password links, entry hand-overs. Each works once, for one browser, for a while.

Whoever spends a code does so by one conditional UPDATE in the transaction of what the code is
for: of two that come at once exactly one wins, and a crash in between leaves the code unspent.
"""

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import delete, update
from sqlmodel import Session, col, select

from hub.clock import now
from hub.identity.model import OneTimeCode
from hub.identity.tokens import digest, new_token

LOGIN = "login"
"""The purpose of the code that becomes a session."""


def issue(
    session: Session,
    purpose: str,
    user_id: str,
    lifetime: timedelta,
    *,
    binding: str | None = None,
    session_id: str | None = None,
    environment_id: str | None = None,
) -> str:
    """A new code within the caller's transaction. `binding` is a digest that the browser must match."""
    _forget_expired(session)
    code = new_token()
    row = OneTimeCode(
        code_hash=digest(code),
        purpose=purpose,
        user_id=user_id,
        session_id=session_id,
        environment_id=environment_id,
        binding=binding,
        expires_at=now() + lifetime,
    )
    session.add(row)
    return code


def find(session: Session, code: str, purposes: Collection[str]) -> OneTimeCode | None:
    """The code's row while it can still be spent; None for what is unknown, used or expired."""
    row = session.get(OneTimeCode, digest(code))
    if row is None or row.purpose not in purposes or row.used_at or row.expires_at <= now():
        return None
    return row


def spend(session: Session, code: str, purpose: str, bindings: Collection[str] = ()) -> OneTimeCode | None:
    """Use the code up; None where it is unknown, used, expired, or bound to another browser."""
    moment = now()
    bound = col(OneTimeCode.binding).is_(None) | col(OneTimeCode.binding).in_(bindings)
    unspent = (col(OneTimeCode.used_at).is_(None), col(OneTimeCode.expires_at) > moment, bound)
    key = digest(code)
    spent = session.execute(
        update(OneTimeCode)
        .where(col(OneTimeCode.code_hash) == key, col(OneTimeCode.purpose) == purpose, *unspent)
        .values(used_at=moment)
        .execution_options(synchronize_session=False)
    )
    if not spent.rowcount:  # type: ignore[attr-defined]
        return None
    return session.exec(select(OneTimeCode).where(OneTimeCode.code_hash == key).execution_options(populate_existing=True)).one()


def withdraw(session: Session, purpose: str, user_id: str, expiring_before: datetime | None = None) -> None:
    """Make a user's earlier codes of that purpose worthless, used ones included; all, or those that expire before a moment."""
    theirs = [col(OneTimeCode.purpose) == purpose, col(OneTimeCode.user_id) == user_id]
    early = [col(OneTimeCode.expires_at) < expiring_before] if expiring_before else []
    session.execute(delete(OneTimeCode).where(*theirs, *early))


def withdraw_logins(session: Session, user_id: str) -> None:
    """A code that a login page holds must not outlive what ends all of a person's sessions."""
    withdraw(session, LOGIN, user_id)


def _forget_expired(session: Session) -> None:
    """Expired codes are worth nothing; each new code sweeps them out, so the table stays small."""
    session.execute(delete(OneTimeCode).where(col(OneTimeCode.expires_at) < now() - timedelta(days=1)))

"""Logins under way at a provider: what must come back, and in which browser.

A row holds what the answer is checked against. It is taken out by one conditional DELETE, so that an
answer counts once, and only together with the cookie of the browser that began.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete
from sqlmodel import Session, col

from hub.clock import now
from hub.identity.model import LoginAttempt
from hub.identity.person import Person
from hub.identity.tokens import digest, new_token

LIFETIME = timedelta(minutes=10)


@dataclass(frozen=True)
class Begun:
    """What goes to the provider with the browser; `verifier` only as its hash."""

    state: str
    nonce: str
    verifier: str


def make(session: Session, provider: str, onward: str, binding: str, linking: Person | None) -> Begun:
    """Write an attempt down, within the caller's transaction; each one sweeps out those that are over."""
    session.execute(delete(LoginAttempt).where(col(LoginAttempt.expires_at) < now()))
    begun = Begun(new_token(), new_token(), new_token())
    session.add(
        LoginAttempt(
            state_hash=digest(begun.state),
            provider=provider,
            nonce=begun.nonce,
            verifier=begun.verifier,
            onward=onward,
            binding=binding,
            user_id=linking.user_id if linking else None,
            session_id=linking.session_id if linking else None,
            expires_at=now() + LIFETIME,
        )
    )
    return begun


def take(session: Session, provider: str, state: str, bindings: Collection[str]) -> LoginAttempt | None:
    """Spend the attempt; None where it is unknown, over, another provider's or another browser's."""
    found = session.get(LoginAttempt, digest(state))
    if found is None or found.provider != provider or found.binding not in bindings or found.expires_at <= now():
        return None
    session.expunge(found)
    taken = session.execute(delete(LoginAttempt).where(col(LoginAttempt.state_hash) == found.state_hash))
    return found if taken.rowcount else None  # type: ignore[attr-defined]

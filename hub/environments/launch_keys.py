"""Launches that a program sends twice because it did not hear the answer: the same key brings the same environment.

The key is the program's own choice, counts for one person and a day, and belongs to what was asked for (the
Idempotency-Key header of draft-ietf-httpapi-idempotency-key-header).
"""

from datetime import timedelta

from sqlalchemy import delete
from sqlmodel import Session, col

from hub.clock import now
from hub.environments.launching import LaunchOrder
from hub.environments.model import LaunchKey
from hub.errors import Invalid
from hub.identity.tokens import digest

KEPT_FOR = timedelta(days=1)
LONGEST = 255


def earlier(session: Session, user_id: str, key: str, order: LaunchOrder) -> str | None:
    """The environment that this key has launched; None where it is new. Raises `Invalid` for another order."""
    if not 1 <= len(key) <= LONGEST:
        raise Invalid(f"An idempotency key has 1 to {LONGEST} characters.")
    session.execute(delete(LaunchKey).where(col(LaunchKey.expires_at) <= now()))
    kept = session.get(LaunchKey, (user_id, digest(key)))
    if kept is None:
        return None
    if kept.order_hash != digest(repr(order)):
        raise Invalid("This idempotency key belongs to another launch. Take a new key for each launch.")
    return kept.environment_id


def keep(session: Session, user_id: str, key: str, order: LaunchOrder, environment_id: str) -> None:
    """In the transaction of the launch itself."""
    session.add(
        LaunchKey(
            user_id=user_id, key_hash=digest(key), order_hash=digest(repr(order)), environment_id=environment_id,
            expires_at=now() + KEPT_FOR,
        )
    )  # fmt: skip

"""The time and the random ids that rows are stamped with."""

import secrets
from datetime import UTC, datetime


def now() -> datetime:
    """The time in UTC, aware."""
    return datetime.now(UTC)


def new_id() -> str:
    """A random id of 128 bits in 32 hex digits: never given twice, never guessed."""
    return secrets.token_hex(16)

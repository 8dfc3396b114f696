"""What has ended is kept for a while, for whoever asks what happened, and is then swept out a batch at a time.

Events stay: they are the record. A session is gone with the entries and revocations that hang on it, a token by itself.
"""

from datetime import timedelta

from sqlalchemy import delete, func
from sqlmodel import col, select

from hub.clock import now
from hub.database import Database
from hub.identity.model import ApiToken, LoginSession
from hub.routing.model import Entry, Revocation

KEPT_FOR = timedelta(days=120)
"""Longer than a place counts as known to a person (`hub.identity.failures.KNOWN_FOR`)."""
BATCH = 500
EVERY = 600.0
"""Seconds between two rounds."""


def sweep(database: Database) -> int:
    """One batch of what ended long ago; how many rows of sessions and tokens went. May be cut short anywhere."""
    before = now() - KEPT_FOR
    over = func.coalesce(col(ApiToken.revoked_at), col(ApiToken.expires_at)) < before
    with database.reading() as session:
        sessions = session.exec(select(LoginSession.id).where(col(LoginSession.expires_at) < before).limit(BATCH)).all()
        tokens = session.exec(select(ApiToken.id).where(over).limit(BATCH)).all()
    if not sessions and not tokens:
        return 0
    with database.writing("sweep") as session:
        for row in (Entry, Revocation):
            session.execute(delete(row).where(col(row.session_id).in_(sessions)))
        session.execute(delete(LoginSession).where(col(LoginSession.id).in_(sessions)))
        session.execute(delete(ApiToken).where(col(ApiToken.id).in_(tokens)))
    return len(sessions) + len(tokens)

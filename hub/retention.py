"""What has ended is kept for a while, for whoever asks what happened, and is then swept out a batch at a time.

Events stay: they are the record. A session is gone with the entries and revocations that hang on it, a token by itself, a
signing key once no run can know it or an older one only.
"""

from datetime import timedelta
from itertools import pairwise

from sqlalchemy import delete, func
from sqlmodel import col, select

from hub.clock import now
from hub.database import Database
from hub.environments.model import Start
from hub.identity.model import ApiToken, LoginSession
from hub.routing.model import Entry, Revocation, SigningKey

KEPT_FOR = timedelta(days=120)
"""Longer than a place counts as known to a person (`hub.identity.failures.KNOWN_FOR`)."""
KEYS_KEPT_FOR = timedelta(days=1)
"""After a key's successor was made. A start that began with it has long been written down by then."""
BATCH = 500
EVERY = 600.0
"""Seconds between two rounds."""


def sweep(database: Database) -> int:
    """One batch of what ended long ago; how many rows went. May be cut short anywhere."""
    return _sweep_logins(database) + _sweep_keys(database)


def _sweep_logins(database: Database) -> int:
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


def _sweep_keys(database: Database) -> int:
    """From the oldest on, up to the first that a run may be known to accept: it is led to the newest by those after it."""
    with database.reading() as session:
        keys = session.exec(select(SigningKey.id, SigningKey.created_at).order_by(col(SigningKey.created_at))).all()
        in_use = set(session.exec(select(Start.key_id).where(col(Start.ended_at).is_(None)).distinct()).all())
    over: list[str] = []
    for (key_id, _), (_, followed_at) in pairwise(keys):
        if key_id in in_use or followed_at > now() - KEYS_KEPT_FOR:
            break
        over.append(key_id)
    if over:
        with database.writing("sweep keys") as session:
            session.execute(delete(SigningKey).where(col(SigningKey.id).in_(over[:BATCH])))
    return len(over[:BATCH])

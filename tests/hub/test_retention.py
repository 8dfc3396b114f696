"""Rows of what ended long ago go, a batch at a time; what counts or is young stays. On both databases."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import SQLModel, func, select

from hub import retention
from hub.audit.model import Event
from hub.background import background
from hub.clock import now
from hub.database import Database
from hub.datafolder import prepare
from hub.identity.model import ApiToken, LoginSession, User
from hub.retention import KEPT_FOR, sweep
from hub.services import build
from hub.settings import Settings
from tests.identity.conftest import eventually
from tests.identity.serve import USUAL
from tests.support.memory_spawner import MemorySpawner

LONG_AGO, SHORTLY_AGO = now() - KEPT_FOR - timedelta(days=1), now() - timedelta(days=1)


@pytest.fixture
def filled(database: Database) -> Database:
    """Of each kind one that ended long ago, one that ended shortly ago, and one that counts."""
    with database.writing("rows of a test") as session:
        user = User(name="grace", display_name="Grace")
        session.add(user)
        session.flush()
        for number, ends in enumerate((LONG_AGO, SHORTLY_AGO, now() + timedelta(days=1))):
            session.add(LoginSession(token_hash=f"session {number}", user_id=user.id, expires_at=ends))
            session.add(ApiToken(user_id=user.id, name="one", token_hash=f"token {number}", expires_at=ends))
        revoked = ApiToken(user_id=user.id, name="one", token_hash="revoked", expires_at=now() + timedelta(days=1))
        revoked.revoked_at = LONG_AGO
        session.add(revoked)
        session.add(Event(actor_id=user.id, act="login", subject_id=user.id))
    return database


def count(database: Database, row: type[SQLModel]) -> int:
    with database.reading() as session:
        return session.exec(select(func.count()).select_from(row)).one()


def test_what_ended_long_ago_goes_and_the_rest_and_every_event_stays(filled: Database) -> None:
    assert sweep(filled) == 3
    assert (count(filled, LoginSession), count(filled, ApiToken), count(filled, Event)) == (2, 2, 1)
    assert sweep(filled) == 0


def test_a_round_takes_a_batch(filled: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 1)
    assert [sweep(filled) for _ in range(3)] == [2, 1, 0]


def test_a_hub_sweeps_by_itself(filled: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "EVERY", 0.05)
    settings = Settings(data_dir=tmp_path, secret_key=USUAL["secret_key"])
    services = build(settings, prepare(tmp_path), filled, {"local": MemorySpawner()})
    with background(services):
        eventually(lambda: count(filled, LoginSession) == 2, "what ended long ago is swept out")

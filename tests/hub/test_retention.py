"""Rows of what ended long ago go, a batch at a time; what counts or is young stays. On both databases."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import Session, SQLModel, func, select

from hub import retention
from hub.audit.model import Event
from hub.background import background
from hub.clock import now
from hub.clusters.model import Cluster
from hub.database import Database
from hub.datafolder import prepare
from hub.environments.model import Environment, Start
from hub.far_side import FarSide
from hub.identity.model import ApiToken, LoginSession, User
from hub.retention import KEPT_FOR, sweep
from hub.routing.keys import SigningKeys
from hub.routing.model import SigningKey
from hub.services import build
from hub.settings import Settings
from hub.workspaces.model import Workspace
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


def test_a_signing_key_goes_once_no_run_can_know_only_it_or_an_older_one(database: Database) -> None:
    keys = SigningKeys(database, b"a secret that seals the keys of this test")
    keys.ensure()
    kids = [keys.current_kid(), *(keys.rotate() for _ in range(3))]
    with database.writing("times of a test") as session:
        for age, kid in zip((9, 8, 7, 0), kids, strict=True):
            session.get_one(SigningKey, kid).created_at = now() - timedelta(days=age)
        environment = environment_of(session)
        start = Start(environment_id=environment, generation=1, image="", key_id=kids[1])
        session.add(start)
    assert sweep(database) == 1
    assert keys.endorsements_from(kids[1])
    with database.writing("the end of a test's run") as session:
        session.get_one(Start, start.id).ended_at = now()
    assert sweep(database) == 1
    assert count(database, SigningKey) == 2
    assert keys.current_kid() == kids[3]


def environment_of(session: Session) -> str:
    """The id of an environment that somebody has."""
    user = User(name="ada", display_name="Ada")
    session.add(user)
    session.flush()
    workspace = Workspace(owner_id=user.id, name="one", cluster_id="local")
    environment = Environment(
        slug="one", owner_id=user.id, name="one", profile="Light", image="", cpu_limit=1, cpu_request=1, memory_limit=1,
        memory_request=1, storage=1, workspace_id=workspace.id, cluster_id="local",
    )  # fmt: skip
    session.add(Cluster(id="local", kind="local", environments_domain="localhost", credential_hash=""))
    session.flush()
    session.add(workspace)
    session.flush()
    session.add(environment)
    session.flush()
    return environment.id


def test_a_round_takes_a_batch(filled: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 1)
    assert [sweep(filled) for _ in range(3)] == [2, 1, 0]


def test_a_hub_sweeps_by_itself(filled: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "EVERY", 0.05)
    settings = Settings(data_dir=tmp_path, secret_key=USUAL["secret_key"])
    services = build(settings, prepare(tmp_path), filled, FarSide("local", MemorySpawner(), str))
    with background(services):
        eventually(lambda: count(filled, LoginSession) == 2, "what ended long ago is swept out")

"""Signing keys: sealed rows, one chain, and what environments make of it."""

import threading
import time

import jwt
import pytest
from environment.keys import ASSERTION, KeyRing
from environment.refusal import Refused
from sqlmodel import func, select

from hub.database import Database
from hub.errors import CannotStart, NotFound
from hub.routing.keys import SigningKeys
from hub.routing.model import SigningKey
from tests.environment.signing import ENDORSEMENT, Signer

SECRET = b"a secret that seals the keys of this test"


@pytest.fixture
def keys(database: Database) -> SigningKeys:
    keys = SigningKeys(database, SECRET)
    keys.ensure()
    return keys


def _assertion(keys: SigningKeys, kid: str, **claims: object) -> str:
    issued = int(time.time())
    content = {
        "iss": "podium",
        "aud": "start",
        "sub": "u",
        "sid": "s",
        "iat": issued,
        "exp": issued + 60,
        "session_end": issued + 60,
    }
    return keys.sign(kid, ASSERTION, {**content, **claims})


def test_replicas_that_start_at_once_share_one_first_key(database: Database) -> None:
    replicas = [SigningKeys(database, SECRET) for _ in range(4)]
    threads = [threading.Thread(target=replica.ensure) for replica in replicas]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({replica.current_kid() for replica in replicas}) == 1
    with database.reading() as session:
        assert session.exec(select(func.count()).select_from(SigningKey)).one() == 1


def test_an_environment_believes_what_the_key_it_was_given_signs(keys: SigningKeys) -> None:
    ring = KeyRing("start", keys.public_set())
    assert ring.assertion(_assertion(keys, keys.current_kid())).user_id == "u"


@pytest.mark.case("A4-4")
@pytest.mark.case("A4-6")
def test_an_assertion_for_another_start_is_refused(keys: SigningKeys) -> None:
    with pytest.raises(Refused):
        KeyRing("another start", keys.public_set()).assertion(_assertion(keys, keys.current_kid()))


def test_a_copy_of_the_database_signs_nothing(keys: SigningKeys, database: Database) -> None:
    with pytest.raises(CannotStart, match="SECRET_KEY"):
        SigningKeys(database, b"another secret").ensure()
    with database.reading() as session:
        row = session.exec(select(SigningKey)).one()
    assert "d" not in row.public
    assert keys.current_kid() == row.id


@pytest.mark.case("R21")
def test_a_run_is_led_to_the_newest_key_by_its_chain(keys: SigningKeys) -> None:
    first = keys.current_kid()
    ring = KeyRing("start", keys.public_set())
    keys.rotate()
    newest = keys.rotate()
    assert keys.current_kid() == newest
    with pytest.raises(Refused):
        ring.assertion(_assertion(keys, newest))
    ring.endorse(keys.endorsements_from(first))
    assert ring.assertion(_assertion(keys, newest)).user_id == "u"
    assert ring.assertion(_assertion(keys, first)).user_id == "u"
    assert keys.endorsements_from(newest) == []


@pytest.mark.case("A4-5")
def test_a_stranger_endorses_nobody(keys: SigningKeys) -> None:
    """Neither by a signature of its own under a known key's name, nor by one without a private key at all."""
    ring, stranger = KeyRing("start", keys.public_set()), Signer("stranger")
    known = keys.current_kid()
    by_itself = stranger.sign(ENDORSEMENT, {"jwk": stranger.jwk})
    in_disguise = stranger.sign(ENDORSEMENT, {"jwk": stranger.jwk}, kid=known)
    shared = jwt.encode({"jwk": stranger.jwk}, "x" * 32, algorithm="HS256", headers={"kid": known, "typ": ENDORSEMENT})
    ring.endorse([by_itself, in_disguise, shared])
    assert ring.ids == [known]


def test_another_replica_signs_with_a_key_that_it_did_not_make(keys: SigningKeys, database: Database) -> None:
    kid = keys.rotate()
    other = SigningKeys(database, SECRET)
    assert jwt.get_unverified_header(_assertion(other, kid))["kid"] == kid
    with pytest.raises(NotFound):
        other.sign("unknown", ASSERTION, {})

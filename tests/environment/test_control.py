"""What the hub tells a running environment: sessions that ended are cut off, and keys may follow each other."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection

from tests.environment.running import Environment
from tests.environment.signing import ASSERTION, CONTROL, ENDORSEMENT, Signer, claims, order


def close_code(socket: ClientConnection, seconds: float = 10) -> int | None:
    """The code that the environment closes a socket with."""
    try:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            socket.recv(timeout=seconds)
    except ConnectionClosed as closed:
        return closed.rcvd.code if closed.rcvd else None
    raise AssertionError("the socket is still open")


@pytest.mark.case("A4-8")
def test_all_sockets_of_a_revoked_session_close_and_no_other(plain: Environment) -> None:
    revoked = [plain.socket(plain.token(sid="leaving")) for _ in range(20)]
    other = plain.socket(plain.token(sid="staying"))
    answer = plain.order(revoked=["leaving", "never-seen"])
    assert answer.status_code == 200
    assert {"leaving", "never-seen"} <= set(answer.json()["revoked"])
    with ThreadPoolExecutor(20) as pool:
        assert list(pool.map(close_code, revoked)) == [4401] * 20
    other.ping().wait(5)
    other.close()


@pytest.mark.case("A4-8")
def test_a_revoked_session_may_not_return(plain: Environment) -> None:
    token = plain.token(sid="gone")
    assert plain.get("/", token).status_code == 200
    plain.order(revoked=["gone"])
    assert plain.get("/", token).headers["X-Podium-Refusal"] == "revoked"
    assert plain.get("/", plain.token(sid="gone")).headers["X-Podium-Refusal"] == "revoked"


@pytest.mark.case("A4-8")
def test_a_socket_closes_at_the_end_of_its_session(plain: Environment) -> None:
    end = time.time() + 2
    socket = plain.socket(plain.token(session_end=end))
    assert close_code(socket) == 4401
    assert 0 <= time.time() - end < 5


def test_a_message_said_twice_does_no_harm(plain: Environment) -> None:
    message = plain.signer.sign(CONTROL, order(plain.start_id, revoked=["twice"]))
    first, second = plain.order(message=message), plain.order(message=message)
    assert first.status_code == second.status_code == 200
    assert "twice" in second.json()["revoked"]


def test_a_slow_reader_holds_no_revocation_up(plain: Environment) -> None:
    socket = plain.socket(plain.token(sid="slow"))
    started = time.monotonic()
    assert plain.order(revoked=["slow"]).status_code == 200
    assert time.monotonic() - started < 5
    assert close_code(socket) == 4401


@pytest.mark.parametrize(
    ("changed", "refusal"),
    [
        ({"aud": "another-start"}, "invalid"),
        ({"iat": timedelta(seconds=-100), "exp": timedelta(seconds=-40)}, "expired"),
        ({"exp": timedelta(hours=3)}, "invalid"),
        ({"iss": "somebody"}, "invalid"),
        ({"revoked": "all"}, "invalid"),
        ({"revoked": [1]}, "invalid"),
        ({"successors": {"a": 1}}, "invalid"),
    ],
    ids=str,
)
def test_a_wrong_message_is_refused(plain: Environment, changed: dict[str, Any], refusal: str) -> None:
    answer = plain.order(**{"revoked": ["victim"], **changed})
    assert (answer.status_code, answer.headers["X-Podium-Refusal"]) == (421, refusal)
    assert plain.get("/", plain.token(sid="victim")).status_code == 200


def test_a_message_that_is_none_is_refused(plain: Environment) -> None:
    stranger = Signer().sign(CONTROL, order(plain.start_id, revoked=["victim"]))
    for message in ("", "nonsense", "\0\xff", plain.token(), stranger):
        assert plain.order(message=message).headers["X-Podium-Refusal"] == "invalid"


def test_a_message_without_end_is_refused(plain: Environment) -> None:
    assert plain.order(message="x" * 2_000_000).status_code == 413


def test_only_a_post_is_a_message(plain: Environment) -> None:
    assert plain.get("/_podium/control").status_code == 405


def test_a_successor_counts_once_a_known_key_vouches_for_it(plain: Environment) -> None:
    second, third = Signer("second-key"), Signer("third-key")
    token = third.sign(ASSERTION, claims(plain.start_id))
    assert plain.get("/", token).headers["X-Podium-Refusal"] == "invalid"
    answer = plain.order(successors=[second.endorse(third), plain.signer.endorse(second)])
    assert {"first", "second-key", "third-key"} <= set(answer.json()["keys"])
    assert plain.get("/", token).status_code == 200
    assert plain.get("/", plain.token()).status_code == 200
    assert plain.order(message=third.sign(CONTROL, order(plain.start_id))).status_code == 200


def test_a_successor_that_nobody_known_vouches_for_is_passed_over(plain: Environment) -> None:
    stranger, usurper = Signer("stranger"), Signer("first")
    weak = plain.signer.sign(ENDORSEMENT, {"jwk": {"kty": "oct", "k": "c2VjcmV0", "kid": "weak"}})
    wrong_kind = plain.signer.sign("JWT", {"jwk": stranger.jwk})
    own = [
        stranger.endorse(stranger),
        Signer("first").endorse(stranger),
        weak,
        wrong_kind,
        "nonsense",
        plain.signer.endorse(usurper),
    ]
    answer = plain.order(successors=own)
    assert not {"stranger", "weak"} & set(answer.json()["keys"])
    assert plain.get("/", usurper.sign(ASSERTION, claims(plain.start_id))).headers["X-Podium-Refusal"] == "invalid"
    assert plain.get("/").status_code == 200

"""Who enters an environment: only who brings an assertion that the hub signed for this very start."""

import base64
import hashlib
import hmac
import json
import time
from datetime import timedelta
from typing import Any

import jwt
import pytest
from environment.keys import KeyRing
from environment.refusal import Refused
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.exceptions import InvalidStatus

from tests.environment.running import Environment
from tests.environment.signing import ASSERTION, Signer, claims


def refusal(plain: Environment, token: str) -> str:
    """Why it is refused, the same for HTTP and for a WebSocket."""
    answer = plain.get("/", token)
    assert answer.status_code == 421
    with pytest.raises(InvalidStatus) as refused:
        plain.socket(token)
    assert refused.value.response.status_code == 403
    return answer.headers["X-Podium-Refusal"]


def forged(plain: Environment, header: dict[str, Any], key: bytes | None) -> str:
    """A token that PyJWT itself would refuse to make."""
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in (header, claims(plain.start_id))]
    signature = b"" if key is None else hmac.new(key, b".".join(parts), hashlib.sha256).digest()
    return b".".join([*parts, base64.urlsafe_b64encode(signature).rstrip(b"=")]).decode()


@pytest.mark.case("A4-1")
def test_a_signed_request_enters(plain: Environment) -> None:
    assert plain.get("/").status_code == 200
    plain.socket().close()


@pytest.mark.case("A4-2")
def test_a_request_without_an_assertion_is_refused(plain: Environment) -> None:
    assert refusal(plain, "") == "missing"


@pytest.mark.case("A4-3")
def test_an_expired_assertion_is_refused(plain: Environment) -> None:
    now = int(time.time())
    assert refusal(plain, plain.token(iat=now - 70, exp=now - 10)) == "expired"


def test_an_assertion_that_was_seen_before_expires_all_the_same(plain: Environment) -> None:
    now = int(time.time())
    token = plain.token(iat=now - 63, exp=now - 3)
    assert plain.get("/", token).status_code == 200
    deadline = time.monotonic() + 10
    while plain.get("/", token).status_code == 200:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert refusal(plain, token) == "expired"


@pytest.mark.case("R16")
@pytest.mark.case("A4-4")
@pytest.mark.case("A4-6")
@pytest.mark.parametrize("audience", ["another-start", "", ["another-start"], None])
def test_an_assertion_for_another_start_is_refused(plain: Environment, audience: Any) -> None:
    assert refusal(plain, plain.token(aud=audience)) == "invalid"


def test_an_audience_that_names_several_starts_is_refused(plain: Environment) -> None:
    assert refusal(plain, plain.token(aud=[plain.start_id, "another-start"])) == "invalid"


@pytest.mark.case("A4-5")
def test_an_assertion_of_an_unknown_key_is_refused(plain: Environment) -> None:
    stranger = Signer("first")
    assert refusal(plain, stranger.sign(ASSERTION, claims(plain.start_id))) == "invalid"
    assert refusal(plain, Signer("second").sign(ASSERTION, claims(plain.start_id))) == "invalid"


@pytest.mark.parametrize("kid", ["", "../../etc/passwd", "' OR 1=1 --", "x" * 5000])
def test_the_name_of_a_key_is_only_looked_up(plain: Environment, kid: str) -> None:
    assert refusal(plain, plain.signer.sign(ASSERTION, claims(plain.start_id), kid=kid)) == "invalid"


def test_a_key_that_the_token_brings_along_does_not_count(plain: Environment) -> None:
    stranger = Signer("stranger")
    token = stranger.sign(ASSERTION, claims(plain.start_id), jwk=stranger.jwk, jku="http://127.0.0.1/keys")
    assert refusal(plain, token) == "invalid"


@pytest.mark.parametrize("algorithm", ["none", "None", "HS256"])
def test_a_token_without_a_real_signature_is_refused(plain: Environment, algorithm: str) -> None:
    header = {"alg": algorithm, "kid": plain.signer.kid, "typ": ASSERTION}
    keys = [None, plain.signer.pem, plain.signer.pem.replace(b"\n", b"\r\n"), json.dumps(plain.signer.jwk).encode(), b""]
    for key in keys:
        assert refusal(plain, forged(plain, header, key)) == "invalid"


def test_an_unknown_critical_header_is_refused(plain: Environment) -> None:
    token = plain.signer.sign(ASSERTION, claims(plain.start_id), crit=["x"], x=1)
    assert refusal(plain, token) == "invalid"


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": "podiu"},
        {"iss": "podium.example"},
        {"iss": None},
        {"sub": None},
        {"sub": 7},
        {"sid": ""},
        {"exp": None},
        {"exp": timedelta(days=1)},
        {"iat": timedelta(minutes=10)},
        {"session_end": None},
        {"session_end": "never"},
        {"session_end": True},
    ],
    ids=str,
)
def test_an_assertion_that_says_something_else_is_refused(plain: Environment, changed: dict[str, Any]) -> None:
    assert refusal(plain, plain.token(**changed)) == "invalid"


def test_an_assertion_after_the_end_of_its_session_is_refused(plain: Environment) -> None:
    assert refusal(plain, plain.token(session_end=int(time.time()) - 1)) == "expired"


@pytest.mark.parametrize("kind", ["JWT", "podium-control+jwt", "podium-key+jwt"])
def test_a_token_made_for_something_else_is_refused(plain: Environment, kind: str) -> None:
    assert refusal(plain, plain.signer.sign(kind, claims(plain.start_id))) == "invalid"


def test_two_assertions_are_refused(plain: Environment) -> None:
    with plain.client("") as client:
        both = [("X-Podium-Assertion", plain.token()), ("X-Podium-Assertion", plain.token())]
        assert client.get("/", headers=both).headers["X-Podium-Refusal"] == "invalid"


@pytest.mark.parametrize("name", ["X_Podium_Assertion", "X-Podium_Assertion"])
def test_an_assertion_under_a_similar_name_does_not_count(plain: Environment, name: str) -> None:
    assert plain.get("/", "", **{name: plain.token()}).headers["X-Podium-Refusal"] == "missing"


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(
        st.text(), st.binary().map(lambda raw: base64.urlsafe_b64encode(raw).decode()), st.from_regex(r"(e[\w-]*\.){2}[\w-]*")
    )
)
def test_no_text_whatsoever_is_taken_for_an_assertion(text: str) -> None:
    ring = KeyRing("start", [Signer().jwk])
    with pytest.raises(Refused):
        ring.assertion(text)


def test_only_public_keys_on_p256_are_trusted() -> None:
    symmetric = {"kty": "oct", "k": "c2VjcmV0", "kid": "first"}
    private = {**Signer().jwk, "d": "c2VjcmV0"}
    for jwk in (symmetric, private, {**Signer().jwk, "kid": None}, {"kid": "first"}):
        with pytest.raises(ValueError, match="key"):
            KeyRing("start", [jwk])


def test_a_verified_assertion_is_not_verified_twice() -> None:
    signer = Signer()
    ring = KeyRing("start", [signer.jwk])
    token = signer.sign(ASSERTION, claims("start"))
    assert ring.assertion(token) is ring.assertion(token)
    assert jwt.get_unverified_header(token)["kid"] == "first"

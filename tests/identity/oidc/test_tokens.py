"""Tokens that only look like a provider's: every trick of the advisories, sent by the provider's own token endpoint."""

import hmac
import json
import time
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from hub.identity.notices import Notice
from hub.identity.oidc import verifying
from hub.identity.oidc.providers import Rules
from hub.identity.oidc.service import LoginRefused
from hub.identity.oidc.verifying import LOGOUT_EVENT, TokenRefused
from tests.identity.oidc.conftest import Visit
from tests.identity.oidc.hostile import CLIENT, Key

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # no matter of the database
STRANGER = Key("first")


def refused(visit: Visit, make: Callable[[dict[str, Any]], str]) -> None:
    visit.hostile.id_token = make
    with pytest.raises(LoginRefused) as caught:
        visit.log_in()
    assert caught.value.notice is Notice.REFUSED


def by_hand(claims: dict[str, Any], header: dict[str, Any], secret: bytes) -> str:
    """PyJWT refuses to sign with what looks like a public key; an attacker does not."""
    content = unsigned({"alg": "HS256", "kid": "first", "typ": "JWT", **header}, claims)
    return b".".join([content, jwt.utils.base64url_encode(hmac.digest(secret, content, "sha256"))]).decode()


def unsigned(header: dict[str, Any], claims: dict[str, Any]) -> bytes:
    return b".".join(jwt.utils.base64url_encode(json.dumps(part).encode()) for part in (header, claims))


@pytest.mark.case("A7-7", "CVE-2024-37568", "CVE-2022-29217", "CVE-2017-11424", "CVE-2026-102268", "CVE-2026-114615")
@pytest.mark.parametrize("change", ["pkcs8", "pkcs1", "jwk", "crlf", "space", "nul", "prefix", "empty"])
def test_a_public_key_is_never_a_shared_secret(visit: Visit, change: str) -> None:
    pem = visit.hostile.key.pem
    secrets = {
        "pkcs8": pem, "pkcs1": visit.hostile.key.pkcs1, "jwk": json.dumps(visit.hostile.key.jwk).encode(),
        "crlf": pem.replace(b"\n", b"\r\n"), "space": b" " + pem, "nul": pem + b"\0", "prefix": b"text before\n" + pem,
        "empty": b"",
    }  # fmt: skip
    refused(visit, lambda claims: by_hand(claims, {}, secrets[change]))


@pytest.mark.case("A7-7", "CVE-2026-102266", "CVE-2026-114616")
def test_a_shared_secret_that_is_published_as_a_key_is_none(visit: Visit) -> None:
    visit.hostile.keys = [{"kty": "oct", "kid": "first", "k": "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"}]
    visit.hostile.id_token = lambda claims: by_hand(claims, {}, b"secretsecretsecretsecretsecret")
    with pytest.raises(LoginRefused) as caught:
        visit.log_in()
    assert caught.value.notice is Notice.SILENT  # it has no key at all that could be used


@pytest.mark.case("A7-7")
@pytest.mark.parametrize("algorithm", ["none", "None", "nOnE", "HS256", "RS512", "PS256", "ES256", ""])
def test_a_header_chooses_no_algorithm(visit: Visit, algorithm: str) -> None:
    def make(claims: dict[str, Any]) -> str:
        _, content, signature = visit.hostile.key.sign(claims).split(".")
        header = jwt.utils.base64url_encode(json.dumps({"alg": algorithm, "kid": "first", "typ": "JWT"}).encode()).decode()
        return f"{header}.{content}.{signature if algorithm.lower() != 'none' else ''}"

    refused(visit, make)


@pytest.mark.case("A7-7")
def test_what_is_not_on_the_list_is_refused_however_well_it_is_signed(visit: Visit) -> None:
    visit.hostile.keys = [{name: value for name, value in visit.hostile.key.jwk.items() if name != "alg"}]
    refused(visit, lambda claims: visit.hostile.key.sign(claims, "RS512"))


@pytest.mark.case("CVE-2026-48523")
def test_the_algorithm_must_be_the_keys_own(visit: Visit, visiting: Callable[..., Visit]) -> None:
    """A key that is published for PS256 signs no RS256 token, though both are allowed."""
    both = visiting(Rules(allow_everyone=True), ("RS256", "PS256"))
    visit.hostile.keys = [{**visit.hostile.key.jwk, "alg": "PS256"}]
    refused(both, lambda claims: visit.hostile.key.sign(claims, "RS256"))


@pytest.mark.case("CVE-2026-32597")
@pytest.mark.parametrize("critical", [["x"], ["exp"], [], "x", ["alg"]])
def test_what_is_critical_and_unknown_is_refused(visit: Visit, critical: object) -> None:
    refused(visit, lambda claims: raw(visit.hostile.key, {"crit": critical, "x": 1}, claims))


def raw(key: Key, header: dict[str, Any], claims: dict[str, Any]) -> str:
    """A token with any header at all, rightly signed."""
    content = unsigned({"alg": "RS256", "kid": key.kid, "typ": "JWT", **header}, claims)
    algorithm = jwt.algorithms.RSAAlgorithm(jwt.algorithms.RSAAlgorithm.SHA256)
    return b".".join([content, jwt.utils.base64url_encode(algorithm.sign(content, key.private))]).decode()


@pytest.mark.case("A7-7", "A2-5")
@pytest.mark.parametrize("name", ["jwk", "jku", "x5u", "x5c"])
def test_a_key_that_the_token_brings_along_does_not_count(visit: Visit, name: str) -> None:
    brought = {"jwk": STRANGER.jwk, "jku": f"{visit.hostile.issuer}/own", "x5u": f"{visit.hostile.issuer}/own", "x5c": ["x"]}
    refused(visit, lambda claims: raw(STRANGER, {name: brought[name]}, claims))
    assert "/own" not in visit.hostile.asked


@pytest.mark.parametrize("kid", ["../../etc/passwd", "' OR 1=1 --", "second", "x" * 400, None])
def test_the_name_of_a_key_is_only_looked_up(visit: Visit, kid: str | None) -> None:
    refused(visit, lambda claims: raw(STRANGER, {"kid": kid}, claims))


@pytest.mark.parametrize("text", ["", "a.b.c", "x" * 200_000, "..", "é.é.é", 5, None, {"a": 1}])
def test_what_is_no_token_is_refused(visit: Visit, text: object) -> None:
    visit.hostile.token = {"id_token": text}
    with pytest.raises(LoginRefused) as caught:
        visit.log_in()
    assert caught.value.notice in {Notice.REFUSED, Notice.SILENT}


def test_other_algorithms_are_taken_where_they_are_configured(visit: Visit, visiting: Callable[..., Visit]) -> None:
    curve = ec.generate_private_key(ec.SECP256R1())
    visit.hostile.keys = [{**json.loads(jwt.algorithms.ECAlgorithm.to_jwk(curve.public_key())), "kid": "curve"}]
    visit.hostile.id_token = lambda claims: jwt.encode(claims, curve, "ES256", {"kid": "curve"})
    assert visiting(Rules(allow_everyone=True), ("ES256",)).log_in()


LOGOUT = {"events": {LOGOUT_EVENT: {}}, "jti": "1"}


def log_out(visit: Visit, claims: dict[str, Any], **header: Any) -> None:
    now = int(time.time())
    usual = {"iss": visit.hostile.issuer, "aud": CLIENT, "iat": now, "exp": now + 60, "sub": "subject-1", **LOGOUT}
    whole = {name: value for name, value in {**usual, **claims}.items() if value is not None}
    visit.logins.log_out_from_behind("hostile", visit.hostile.key.sign(whole, **{"typ": "logout+jwt", **header}))


@pytest.mark.case("A7-18")
def test_a_provider_ends_all_sessions_of_a_person_or_one(visit: Visit) -> None:
    visit.hostile.claims = {"sid": "desk"}
    desk = visit.log_in()
    visit.tokens, visit.hostile.claims = [], {"sid": "lap"}
    lap = visit.log_in()
    log_out(visit, {"sid": "desk", "jti": "a"})
    assert visit.identity.sessions.by_id(desk.session_id) is None
    assert visit.identity.sessions.by_id(lap.session_id)
    log_out(visit, {"jti": "b"})
    assert visit.identity.sessions.by_id(lap.session_id) is None


@pytest.mark.case("A7-18")
def test_a_logout_is_obeyed_once(visit: Visit) -> None:
    log_out(visit, {"jti": "once"})
    person = visit.log_in()
    with pytest.raises(TokenRefused):
        log_out(visit, {"jti": "once"})
    assert visit.identity.sessions.by_id(person.session_id)


@pytest.mark.case("A7-18")
@pytest.mark.parametrize(
    ("claims", "header"),
    [
        ({}, {"typ": "JWT"}), ({}, {"typ": "at+jwt"}), ({"events": None}, {}), ({"events": {"other": {}}}, {}),
        ({"events": "x"}, {}), ({"nonce": "x"}, {}), ({"jti": None}, {}), ({"iat": None}, {}), ({"exp": None}, {}),
        ({"aud": "another"}, {}), ({"iss": "https://elsewhere.example"}, {}), ({"sub": None}, {}), ({"exp": 1}, {}),
    ],
)  # fmt: skip
def test_what_is_no_logout_of_this_provider_ends_nothing(visit: Visit, claims: dict[str, Any], header: dict[str, Any]) -> None:
    person = visit.log_in()
    with pytest.raises(TokenRefused):
        log_out(visit, claims, **header)
    assert visit.identity.sessions.by_id(person.session_id)


def test_a_logout_of_another_subject_ends_nothing_here(visit: Visit) -> None:
    person = visit.log_in()
    log_out(visit, {"sub": "subject-2"})
    assert visit.identity.sessions.by_id(person.session_id)


def access(visit: Visit, claims: dict[str, Any], **header: Any) -> dict[str, Any]:
    now = int(time.time())
    usual = {"iss": visit.hostile.issuer, "aud": "podium-api", "sub": "subject-1", "iat": now, "exp": now + 60}
    whole = {name: value for name, value in {**usual, **claims}.items() if value is not None}
    client = visit.logins.clients["hostile"]
    token = visit.hostile.key.sign(whole, **header)
    return verifying.access_token(client.provider, client.discovery, token, ("podium-api",))


def test_an_access_token_counts_for_its_audience(visit: Visit) -> None:
    assert access(visit, {}, typ="at+jwt")["sub"] == "subject-1"
    assert access(visit, {"aud": ["other", "podium-api"]})["sub"] == "subject-1"


@pytest.mark.parametrize(
    ("claims", "header"),
    [
        ({"aud": "other"}, {}), ({"aud": None}, {}), ({"aud": CLIENT}, {}), ({"exp": 1}, {}), ({"exp": None}, {}),
        ({"iss": "https://elsewhere.example"}, {}), ({"sub": None}, {}), ({}, {"typ": "logout+jwt"}), ({"nonce": "x"}, {}),
        ({"at_hash": "x"}, {}),
    ],
)  # fmt: skip
def test_an_access_token_of_another_kind_does_not_count(visit: Visit, claims: dict[str, Any], header: dict[str, Any]) -> None:
    with pytest.raises(TokenRefused):
        access(visit, claims, **header)

"""The code flow with a provider that is real, then hostile: the checklist of RFC 9700 and OpenID Connect, point by point."""

import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from sqlmodel import select

from hub.clock import now
from hub.database import Database
from hub.identity.model import Login, LoginAttempt
from hub.identity.notices import Notice
from hub.identity.oidc import attempts
from hub.identity.oidc.discovery import AGAIN, KEPT, Discovery
from hub.identity.oidc.fetching import DEADLINE, LARGEST
from hub.identity.oidc.providers import Rules
from hub.identity.oidc.service import LoginRefused
from tests.identity.oidc.conftest import ROOT_URL, Visit
from tests.identity.oidc.hostile import CLIENT, SECRET, Hostile, Key

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # no matter of the database


def query_of(url: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


def refused(visit: Visit, query: dict[str, str] | None = None) -> Notice:
    """Why nobody was let in; and nobody was."""
    with pytest.raises(LoginRefused) as caught:
        visit.finish(query or visit.hostile.authorize(visit.begin()))
    with visit.identity._database.reading() as session:
        assert session.exec(select(Login)).first() is None
    return caught.value.notice


@pytest.mark.case("A7-1", "A7-2", "A7-4")
def test_the_browser_is_sent_with_a_code_flow_and_proofs_that_are_new_each_time(visit: Visit) -> None:
    first, second = query_of(visit.begin()), query_of(visit.begin())
    assert (first["response_type"], first["code_challenge_method"]) == ("code", "S256")
    assert (first["redirect_uri"], first["scope"]) == (f"{ROOT_URL}/auth/callback/hostile", "openid email")
    for name in ("state", "nonce", "code_challenge"):
        assert len(first[name]) >= 43
        assert first[name] != second[name]


@pytest.mark.case("A7-2")
def test_a_code_of_another_login_is_worth_nothing_without_its_verifier(visit: Visit) -> None:
    stolen = visit.hostile.authorize(visit.begin())
    own = visit.hostile.authorize(visit.begin())
    assert refused(visit, {**own, "code": stolen["code"]}) is Notice.REFUSED


@pytest.mark.case("CVE-2026-41425")
@pytest.mark.case("A7-3", "CVE-2025-68158")
def test_an_answer_counts_only_in_the_browser_that_began(visit: Visit) -> None:
    """Somebody else's code and state in a fresh browser would log it in as the attacker."""
    query = visit.hostile.authorize(visit.begin())
    visit.cookie = "another browser's cookie"
    assert refused(visit, query) is Notice.LATE


@pytest.mark.case("A7-3", "A7-14")
def test_an_answer_counts_once(visit: Visit) -> None:
    query = visit.hostile.authorize(visit.begin())
    assert visit.finish(query).token
    with pytest.raises(LoginRefused) as caught:
        visit.finish(query)
    assert caught.value.notice is Notice.LATE


@pytest.mark.case("A7-3")
def test_an_answer_counts_for_ten_minutes(visit: Visit, database: Database) -> None:
    query = visit.hostile.authorize(visit.begin())
    with database.writing("test clock") as session:
        attempt = session.exec(select(LoginAttempt)).one()
        assert attempt.expires_at - now() <= attempts.LIFETIME
        attempt.expires_at = now()
    assert refused(visit, query) is Notice.LATE


@pytest.mark.case("A7-14")
def test_an_error_of_the_provider_ends_the_attempt(visit: Visit, database: Database) -> None:
    state = query_of(visit.begin())["state"]
    assert refused(visit, {"error": "access_denied", "state": state}) is Notice.CANCELLED
    with database.reading() as session:
        assert session.exec(select(LoginAttempt)).first() is None


@pytest.mark.case("A7-5")
@pytest.mark.parametrize("named", [None, "https://elsewhere.example", "", "ISSUER/"])
def test_a_provider_that_names_itself_must_be_the_one_that_was_asked(visit: Visit, named: str | None) -> None:
    visit.hostile.metadata = {"authorization_response_iss_parameter_supported": True}
    query = visit.hostile.authorize(visit.begin())
    changed = {**query, "iss": (named or "").replace("ISSUER", visit.hostile.issuer)}
    if named is None:
        del changed["iss"]
    assert refused(visit, changed) is Notice.REFUSED


@pytest.mark.case("A7-5")
def test_a_name_that_was_not_announced_is_checked_all_the_same(visit: Visit) -> None:
    query = visit.hostile.authorize(visit.begin())
    assert refused(visit, {**query, "iss": "https://elsewhere.example"}) is Notice.REFUSED


@pytest.mark.case("A7-6", "CVE-2026-104056")
@pytest.mark.parametrize("change", ["/", "x", "upper", "other"])
def test_a_document_of_another_issuer_is_no_use(visit: Visit, change: str, caplog: pytest.LogCaptureFixture) -> None:
    issuer = visit.hostile.issuer
    other = {"upper": issuer.upper(), "other": "https://accounts.example"}.get(change, issuer + change)
    visit.hostile.metadata = {"issuer": other}
    with pytest.raises(LoginRefused) as caught:
        visit.begin()
    assert caught.value.notice is Notice.SILENT
    assert f"calls itself '{other}' and is configured as '{issuer}'" in caplog.text


@pytest.mark.case("A7-6", "A7-15")
@pytest.mark.parametrize("name", ["token_endpoint", "jwks_uri", "authorization_endpoint", "userinfo_endpoint"])
@pytest.mark.parametrize(
    "address", ["https://elsewhere.example/x", "http://127.0.0.1:1/x", "http://ada@HOST/x", "file:///etc/passwd", "http://[x"]
)
def test_an_address_on_another_host_is_no_use(visit: Visit, name: str, address: str) -> None:
    visit.hostile.metadata = {name: address.replace("HOST", visit.hostile.issuer.partition("://")[2])}
    with pytest.raises(LoginRefused) as caught:
        visit.begin()
    assert caught.value.notice is Notice.SILENT


@pytest.mark.case("A7-4", "CVE-2026-114617")
@pytest.mark.parametrize(
    "claims", [{"nonce": None}, {"nonce": "another"}, {"nonce": 5}, {"nonce": None, "nonce_supported": False}, {"nonce": ""}]
)
def test_a_token_of_another_login_does_not_count(visit: Visit, claims: dict[str, Any]) -> None:
    visit.hostile.claims = claims
    assert refused(visit) is Notice.REFUSED


@pytest.mark.case("A7-8", "CVE-2024-53861")
@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "another client"}, {"aud": None}, {"aud": []}, {"aud": [CLIENT, "another client"]},
        {"aud": [CLIENT, "another client"], "azp": "another client"}, {"azp": "another client"},
        {"iss": "https://elsewhere.example"}, {"iss": None}, {"iss": "http"}, {"iss": ["ISSUER"]}, {"sub": None}, {"sub": ""},
        {"sub": "x" * 256}, {"sub": 5},
    ],
)  # fmt: skip
def test_a_token_for_or_of_somebody_else_does_not_count(visit: Visit, claims: dict[str, Any]) -> None:
    visit.hostile.claims = claims
    assert refused(visit) is Notice.REFUSED


@pytest.mark.case("A7-9")
@pytest.mark.parametrize(
    "claims", [{"exp": -61}, {"exp": None}, {"iat": 120}, {"iat": None}, {"nbf": 120}, {"exp": "soon"}, {"auth_time": "now"}]
)
def test_a_token_of_another_time_does_not_count(visit: Visit, claims: dict[str, Any]) -> None:
    moment = int(time.time())
    visit.hostile.claims = {name: value + moment if isinstance(value, int) else value for name, value in claims.items()}
    assert refused(visit) is Notice.REFUSED


@pytest.mark.case("A7-9")
@pytest.mark.parametrize(("claim", "seconds"), [("exp", -50), ("iat", 50), ("nbf", 50)])
def test_clocks_may_differ_by_a_minute(visit: Visit, claim: str, seconds: int) -> None:
    visit.hostile.claims = {claim: int(time.time()) + seconds}
    assert visit.log_in()


def test_user_info_about_somebody_else_does_not_count(visit: Visit) -> None:
    visit.hostile.userinfo = {"sub": "subject-2", "name": "Somebody else"}
    assert refused(visit) is Notice.REFUSED


@pytest.mark.case("A7-12", "A7-16")
def test_the_code_is_swapped_with_the_clients_proof_and_the_exact_address(visit: Visit) -> None:
    visit.log_in()
    form = visit.hostile.seen_tokens_request
    assert (form["grant_type"], form["redirect_uri"]) == ("authorization_code", f"{ROOT_URL}/auth/callback/hostile")
    assert SECRET not in form.values()


@pytest.mark.case("A7-16")
def test_a_client_may_prove_itself_by_a_key_instead_of_a_secret(visiting: Callable[..., Visit], hostile: Hostile) -> None:
    visiting(Rules(allow_everyone=True), client_key=hostile.key.secret_pem.decode()).log_in()
    form = hostile.seen_tokens_request
    assert form["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    proof = jwt.decode(form["client_assertion"], hostile.key.pem, ["RS256"], audience=f"{hostile.issuer}/token")
    assert (proof["iss"], proof["sub"]) == (CLIENT, CLIENT)


@pytest.mark.case("A7-15", "CVE-2026-102267")
@pytest.mark.parametrize("path", ["/keys", "/token", "/userinfo", "/.well-known/openid-configuration"])
def test_a_redirect_is_never_followed(visit: Visit, path: str) -> None:
    visit.hostile.answers = {path: lambda: (302, {"location": f"{visit.hostile.issuer}/elsewhere"}, b"")}
    with pytest.raises(LoginRefused):
        visit.finish(visit.hostile.authorize(visit.begin()))
    assert "/elsewhere" not in visit.hostile.asked


@pytest.mark.case("A7-15")
def test_keys_are_kept_for_an_hour_and_looked_for_again_once_a_minute(hostile: Hostile, visit: Visit) -> None:
    moment = [0.0]
    provider = visit.logins.clients["hostile"]
    discovery = Discovery(provider.provider, provider._http, lambda: moment[0])
    first = discovery.keys()
    for _ in range(50):
        moment[0] += 1
        discovery.keys(unknown_to=discovery.keys())
    assert hostile.asked["/keys"] == 1
    moment[0] = AGAIN + 1
    assert discovery.keys(unknown_to=first) is not first
    assert hostile.asked["/keys"] == 2
    moment[0] += KEPT + 1
    discovery.keys()
    assert hostile.asked["/keys"] == 3


def test_a_key_that_is_changed_in_the_middle_of_a_login_is_found(visit: Visit) -> None:
    visit.log_in()
    visit.hostile.key = Key("second")
    client = visit.logins.clients["hostile"]
    assert client.discovery._keys is not None
    client.discovery._keys = (client.discovery._keys[0] - AGAIN - 1, client.discovery._keys[1])
    assert visit.log_in()


@pytest.mark.parametrize("status", [500, 404, 204])
@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/keys", "/token", "/userinfo"])
def test_a_provider_that_fails_lets_nobody_in_and_says_what_to_do(visit: Visit, path: str, status: int) -> None:
    visit.hostile.answers = {path: lambda: (status, {}, b"<html>rubbish")}
    with pytest.raises(LoginRefused) as caught:
        visit.finish(visit.hostile.authorize(visit.begin()))
    assert caught.value.notice in {Notice.SILENT, Notice.REFUSED}


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"{", b"\xff\xfe", b"x" * (LARGEST + 1), b"[" * 100_000])
@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/keys", "/token", "/userinfo"])
def test_rubbish_lets_nobody_in_and_says_what_to_do(visit: Visit, path: str, body: bytes) -> None:
    visit.hostile.answers = {path: lambda: (200, {"content-type": "application/json"}, body)}
    with pytest.raises(LoginRefused) as caught:
        visit.finish(visit.hostile.authorize(visit.begin()))
    assert caught.value.notice in {Notice.SILENT, Notice.REFUSED}


def test_a_provider_that_is_not_there_is_told_within_its_time(visiting: Callable[..., Visit], hostile: Hostile) -> None:
    hostile.issuer = "http://127.0.0.1:1"
    began = time.monotonic()
    with pytest.raises(LoginRefused) as caught:
        visiting(Rules(allow_everyone=True)).begin()
    assert caught.value.notice is Notice.SILENT
    assert time.monotonic() - began < DEADLINE


def test_those_who_come_while_a_provider_is_silent_do_not_wait_one_after_the_other(visit: Visit) -> None:
    visit.hostile.answers = {"/.well-known/openid-configuration": lambda: (500, {}, b"")}
    for _ in range(20):
        with pytest.raises(LoginRefused) as caught:
            visit.begin()
        assert caught.value.notice is Notice.SILENT
    assert visit.hostile.asked["/.well-known/openid-configuration"] == 1

"""A provider's access token opens the account that has logged in there before, as a person and as nothing mightier."""

import time
from typing import Any

import pytest

from hub.database import Database
from hub.identity.oidc.access import AccessTokens
from hub.identity.roles import Role
from hub.identity.scopes import OWN
from tests.identity.oidc.conftest import Visit
from tests.identity.oidc.hostile import Key

HERE = "192.0.2.9"


def shown(visit: Visit, key: Key | None = None, **claims: Any) -> str:
    now = int(time.time())
    usual = {"iss": visit.hostile.issuer, "aud": "podium-api", "sub": "subject-1", "iat": now, "exp": now + 60}
    return (key or visit.hostile.key).sign({**usual, **claims}, typ="at+jwt")


@pytest.fixture
def tokens(visit: Visit, database: Database) -> AccessTokens:
    return AccessTokens(database, visit.logins.clients, ["podium-api"])


def test_it_opens_the_account_of_an_earlier_login_with_a_persons_scopes(visit: Visit, tokens: AccessTokens) -> None:
    person = visit.log_in()
    visit.identity.people.set_role(person.user_id, Role.ADMINISTRATOR)
    caller = tokens.resolve(shown(visit), HERE)
    assert caller is not None
    assert (caller.person.user_id, caller.person.role, caller.scopes) == (person.user_id, Role.USER, OWN)


def test_it_makes_no_account(visit: Visit, tokens: AccessTokens) -> None:
    assert tokens.resolve(shown(visit), HERE) is None
    visit.log_in()
    assert tokens.resolve(shown(visit, sub="somebody-else"), HERE) is None


@pytest.mark.parametrize(
    "claims", [{"aud": "another"}, {"iss": "https://elsewhere.example"}, {"exp": 1}, {"exp": 10**30}, {"iss": 7}], ids=str
)
def test_one_for_another_place_or_time_opens_nothing(visit: Visit, tokens: AccessTokens, claims: dict[str, Any]) -> None:
    visit.log_in()
    assert tokens.resolve(shown(visit, **claims), HERE) is None


def test_one_that_somebody_else_signed_opens_nothing(visit: Visit, tokens: AccessTokens) -> None:
    visit.log_in()
    assert tokens.resolve(shown(visit, Key("first")), HERE) is None


@pytest.mark.parametrize("text", ["", "x", "a.b.c", "e30.e30.e30", "x" * 100_000, "\udcff"])
def test_what_is_no_token_opens_nothing(visit: Visit, tokens: AccessTokens, text: str) -> None:
    visit.log_in()
    assert tokens.resolve(text, HERE) is None


def test_without_named_audiences_none_opens_anything(visit: Visit, database: Database) -> None:
    visit.log_in()
    assert AccessTokens(database, visit.logins.clients, []).resolve(shown(visit), HERE) is None


def test_who_is_disabled_stays_out(visit: Visit, tokens: AccessTokens) -> None:
    person = visit.log_in()
    visit.identity.disable(person.user_id)
    assert tokens.resolve(shown(visit), HERE) is None

"""API tokens: shown once, never mightier than their owner, over at once when they are revoked. On both databases."""

from datetime import timedelta

import pytest
from sqlmodel import select

from hub.clock import now
from hub.database import Database
from hub.errors import Invalid, LimitReached, NotFound, Refused
from hub.identity import api_tokens
from hub.identity.api_tokens import LONGEST_DAYS, MOST, PREFIX, ApiTokens
from hub.identity.model import ApiToken
from hub.identity.roles import Role
from hub.identity.scopes import OWN, SCOPES, Caller
from hub.identity.service import IdentityService
from tests.identity.conftest import browse, register

HERE = "192.0.2.1"


@pytest.fixture
def tokens(database: Database) -> ApiTokens:
    return ApiTokens(database)


def somebody(identity: IdentityService, name: str = "grace", role: Role = Role.USER) -> Caller:
    register(identity, name, role=role)
    return Caller.of(browse(identity, name)[1])


def test_a_token_opens_what_its_scopes_name_and_is_stored_as_a_hash(
    identity: IdentityService, tokens: ApiTokens, database: Database
) -> None:
    grace = somebody(identity)
    view, secret = tokens.create(grace, "nightly run", ["environments:read"], 30)
    assert secret.startswith(PREFIX)
    assert (view.name, view.scopes, view.last_used_at) == ("nightly run", ("environments:read",), None)
    assert timedelta(days=29) < view.expires_at - now() <= timedelta(days=30)
    caller = tokens.resolve(secret, HERE)
    assert caller is not None
    assert (caller.person.user_id, caller.scopes, caller.token_id) == (
        grace.person.user_id,
        frozenset({"environments:read"}),
        view.id,
    )
    with database.reading() as session:
        assert secret not in str(session.exec(select(ApiToken)).one().model_dump())
    assert tokens.of(grace.person)[0][0].last_used_at is not None


@pytest.mark.parametrize("secret", ["", "podium_", "podium_wrong", "wrong", "x" * 10_000, "podium_\udcff"])
def test_anything_else_opens_nothing(identity: IdentityService, tokens: ApiTokens, secret: str) -> None:
    tokens.create(somebody(identity), "one", ["environments:read"], 30)
    assert tokens.resolve(secret, HERE) is None


@pytest.mark.parametrize(
    ("scopes", "days", "error"),
    [
        (["environments:read"], 0, Invalid),
        (["environments:read"], LONGEST_DAYS + 1, Invalid),
        ([], 30, Invalid),
        (["everything"], 30, Invalid),
        (["admin:users:read"], 30, Refused),
        (["environments:read", "admin:environments:write"], 30, Refused),
    ],
)
def test_a_token_that_cannot_be_is_refused(
    identity: IdentityService, tokens: ApiTokens, scopes: list[str], days: int, error: type[Exception]
) -> None:
    with pytest.raises(error):
        tokens.create(somebody(identity), "one", scopes, days)


@pytest.mark.case("CVE-2024-41942")
def test_a_token_makes_none_mightier_than_itself(identity: IdentityService, tokens: ApiTokens) -> None:
    _, secret = tokens.create(somebody(identity, role=Role.ADMINISTRATOR), "maker", ["tokens:write", "environments:read"], 30)
    caller = tokens.resolve(secret, HERE)
    assert caller is not None
    assert caller.person.role is Role.USER
    assert tokens.create(caller, "same", ["environments:read"], 30)
    for scope in set(SCOPES) - {"tokens:write", "environments:read"}:
        with pytest.raises(Refused):
            tokens.create(caller, "mightier", [scope], 30)


@pytest.mark.parametrize(
    ("scope", "role"),
    [("admin:users:read", Role.AUDITOR), ("admin:users:write", Role.ADMINISTRATOR), ("environments:write", Role.USER)],
)
def test_the_role_of_a_call_is_no_mightier_than_its_scopes(
    identity: IdentityService, tokens: ApiTokens, scope: str, role: Role
) -> None:
    _, secret = tokens.create(somebody(identity, role=Role.ADMINISTRATOR), "one", [scope], 30)
    caller = tokens.resolve(secret, HERE)
    assert caller is not None
    assert caller.person.role is role


def test_whoever_loses_a_role_loses_it_for_the_tokens_too(identity: IdentityService, tokens: ApiTokens) -> None:
    grace = somebody(identity, role=Role.ADMINISTRATOR)
    _, secret = tokens.create(grace, "one", ["admin:users:write", "environments:read"], 30)
    identity.people.set_role(grace.person.user_id, Role.USER)
    caller = tokens.resolve(secret, HERE)
    assert caller is not None
    assert (caller.person.role, caller.scopes) == (Role.USER, frozenset({"environments:read"}))


def test_a_revoked_token_and_one_that_is_over_open_nothing(
    identity: IdentityService, tokens: ApiTokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    grace = somebody(identity)
    first, secret = tokens.create(grace, "one", ["environments:read"], 1)
    _, other = tokens.create(grace, "two", ["environments:read"], 1)
    tokens.revoke(grace.person, first.id)
    assert tokens.resolve(secret, HERE) is None
    with pytest.raises(NotFound):
        tokens.revoke(grace.person, first.id)
    later = now() + timedelta(days=1, seconds=1)
    monkeypatch.setattr(api_tokens, "now", lambda: later)
    assert tokens.resolve(other, HERE) is None
    assert tokens.of(grace.person) == ([], 0)


def test_nobody_revokes_or_sees_somebody_else_s(identity: IdentityService, tokens: ApiTokens) -> None:
    view, secret = tokens.create(somebody(identity), "one", ["environments:read"], 30)
    eve = somebody(identity, "eve", Role.ADMINISTRATOR)
    with pytest.raises(NotFound):
        tokens.revoke(eve.person, view.id)
    assert tokens.of(eve.person) == ([], 0)
    assert tokens.resolve(secret, HERE)


def test_who_is_disabled_has_no_token_and_gets_none_back(identity: IdentityService, tokens: ApiTokens) -> None:
    grace = somebody(identity)
    _, secret = tokens.create(grace, "one", ["environments:read"], 30)
    identity.disable(grace.person.user_id)
    assert tokens.resolve(secret, HERE) is None
    identity.enable(grace.person.user_id)
    assert tokens.resolve(secret, HERE) is None


def test_a_person_has_a_bounded_number_and_a_page_of_them(identity: IdentityService, tokens: ApiTokens) -> None:
    grace = somebody(identity)
    for number in range(MOST):
        tokens.create(grace, f"token {number}", sorted(OWN), 30)
    with pytest.raises(LimitReached, match=str(MOST)):
        tokens.create(grace, "one more", ["environments:read"], 30)
    pages = [tokens.of(grace.person, page, 20)[0] for page in range(4)]
    assert [len(page) for page in pages] == [20, 20, 10, 0]
    assert len({view.id for page in pages for view in page}) == MOST

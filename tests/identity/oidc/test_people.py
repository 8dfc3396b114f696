"""Whose login at a provider it is, and whether they may enter: rows, links, approvals."""

from collections.abc import Callable

import pytest
from sqlmodel import select

from hub.audit.model import Event
from hub.database import Database
from hub.errors import Conflict, Invalid
from hub.identity import users
from hub.identity.model import Login, User
from hub.identity.notices import Notice
from hub.identity.oidc.providers import Rules
from hub.identity.oidc.service import LoginRefused
from hub.identity.roles import Role
from hub.identity.service import IdentityService
from tests.identity.conftest import browse, register
from tests.identity.oidc.conftest import Visit
from tests.identity.oidc.hostile import Hostile


def test_somebody_new_is_logged_in_and_known_the_next_time(visit: Visit, database: Database) -> None:
    visit.hostile.claims = {"email": "grace@example.org", "email_verified": True, "name": "Grace Hopper"}
    visit.hostile.userinfo = {"preferred_username": "grace"}
    person = visit.log_in()
    assert (person.name, person.display_name, person.email, person.role) == (
        "grace", "Grace Hopper", "grace@example.org", Role.USER,
    )  # fmt: skip
    assert visit.log_in().user_id == person.user_id
    with database.reading() as session:
        events = session.exec(select(Event).where(Event.act == "login")).all()
    assert [(event.actor_id, event.address) for event in events] == [(person.user_id, "192.0.2.7")] * 2


def test_what_the_token_says_wins_over_the_user_info(visit: Visit) -> None:
    visit.hostile.claims = {"email": "grace@example.org", "email_verified": False}
    visit.hostile.userinfo = {"email_verified": True}
    assert visit.log_in().email is None


@pytest.mark.case("A7-10", "CVE-2022-31027")
def test_the_same_address_at_another_issuer_is_another_person(
    visiting: Callable[..., Visit], hostile: Hostile, database: Database
) -> None:
    hostile.claims = {"email": "grace@example.org", "email_verified": True}
    first = visiting(Rules(allow_everyone=True)).log_in()
    with database.writing("another issuer") as session:
        session.exec(select(Login)).one().issuer = "https://elsewhere.example"
    second = visiting(Rules(allow_everyone=True)).log_in()
    assert first.user_id != second.user_id
    assert first.name != second.name


@pytest.mark.case("A7-10")
def test_a_local_account_of_the_same_name_or_address_is_never_taken_over(visit: Visit, identity: IdentityService) -> None:
    local = register(identity, "grace")
    visit.hostile.claims = {"preferred_username": "grace", "email": "grace@example.org", "email_verified": True}
    person = visit.log_in()
    assert (person.user_id == local.id, person.name) == (False, "grace-2")


def test_a_second_login_is_linked_to_the_account_and_leads_there(visit: Visit, identity: IdentityService) -> None:
    register(identity, "grace")
    token, grace = browse(identity, "grace")
    visit.tokens = [token]
    query = visit.hostile.authorize(visit.begin("/account", linking=grace))
    assert visit.finish(query).token is None
    assert visit.log_in().user_id == grace.user_id


def test_a_login_that_is_somebody_elses_is_not_linked(visit: Visit, identity: IdentityService) -> None:
    visit.log_in()
    register(identity, "grace")
    token, grace = browse(identity, "grace")
    visit.tokens = [token]
    with pytest.raises(Conflict):
        visit.finish(visit.hostile.authorize(visit.begin("/account", linking=grace)))


def test_linking_needs_the_session_that_began_it(visit: Visit, identity: IdentityService) -> None:
    """An answer slipped to somebody else's browser links nothing there."""
    register(identity, "grace")
    _, grace = browse(identity, "grace")
    query = visit.hostile.authorize(visit.begin("/account", linking=grace))
    visit.tokens = [browse(identity, "grace")[0]]
    with pytest.raises(LoginRefused) as caught:
        visit.finish(query)
    assert caught.value.notice is Notice.LATE


def test_the_last_way_in_cannot_be_unlinked(visit: Visit, database: Database) -> None:
    person = visit.log_in()
    with database.reading() as session:
        login = session.exec(select(Login)).one()
    with pytest.raises(Invalid):
        visit.logins.unlink(person, login.id)
    with database.writing("another login") as session:
        session.add(Login(user_id=person.user_id, kind=users.PASSWORD, issuer="local", subject=person.user_id))
    visit.logins.unlink(person, login.id)
    with database.reading() as session:
        assert [one.kind for one in session.exec(select(Login)).all()] == [users.PASSWORD]
    visit.tokens = []
    assert visit.log_in().user_id != person.user_id


def test_a_disabled_person_is_not_let_in_by_a_provider_either(visit: Visit, identity: IdentityService) -> None:
    person = visit.log_in()
    identity.disable(person.user_id)
    with pytest.raises(LoginRefused) as caught:
        visit.log_in()
    assert caught.value.notice is Notice.DISABLED


def test_an_account_that_waits_is_let_in_once_an_administrator_says_so(
    visiting: Callable[..., Visit], identity: IdentityService, database: Database
) -> None:
    visit = visiting(Rules(approval=True))
    for _ in range(2):
        with pytest.raises(LoginRefused) as caught:
            visit.log_in()
        assert caught.value.notice is Notice.PENDING
    with database.reading() as session:
        waiting = session.exec(select(User)).one()
    identity.people.approve(waiting.id)
    assert visit.log_in().user_id == waiting.id


@pytest.mark.case("CVE-2026-33175")
@pytest.mark.parametrize("verified", [False, None, "true", "false", 1, 0, [True], {}])
def test_an_address_that_the_provider_does_not_vouch_for_opens_nothing(
    visiting: Callable[..., Visit], hostile: Hostile, verified: object
) -> None:
    hostile.claims = {"email": "grace@corp.example", "email_verified": verified}
    with pytest.raises(LoginRefused) as caught:
        visiting(Rules(allowed_email_domains=("corp.example",))).log_in()
    assert caught.value.notice is Notice.NOT_ADMITTED


def test_unlinking_a_login_ends_what_it_opened(visit: Visit, database: Database) -> None:
    person = visit.log_in()
    visit.tokens = []
    elsewhere = visit.log_in()
    with database.writing("another login") as session:
        session.add(Login(user_id=person.user_id, kind=users.PASSWORD, issuer="local", subject=person.user_id))
        login = session.exec(select(Login).where(Login.kind != users.PASSWORD)).one()
    visit.logins.unlink(elsewhere, login.id)
    assert visit.identity.sessions.by_id(person.session_id) is None
    assert visit.identity.sessions.by_id(elsewhere.session_id)


def test_a_role_that_the_groups_take_away_ends_what_was_open_with_it(visiting: Callable[..., Visit], hostile: Hostile) -> None:
    visit = visiting(Rules(users_groups=("users",), admin_groups=("admins",)))
    hostile.claims = {"groups": ["admins"]}
    before = visit.log_in()
    assert before.role is Role.ADMINISTRATOR
    visit.tokens, hostile.claims = [], {"groups": ["users"]}
    assert visit.log_in().role is Role.USER
    assert visit.identity.sessions.by_id(before.session_id) is None

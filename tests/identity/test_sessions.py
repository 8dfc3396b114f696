"""Sessions end: by logging out, by time, by a changed password, by an administrator. On both databases."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlmodel import select

from hub.database import Database
from hub.errors import DatabaseSilent, Refused
from hub.identity.model import LoginSession
from hub.identity.roles import Role
from hub.identity.service import IdentityService
from hub.identity.sessions import Sessions
from hub.identity.tokens import digest
from hub.routing import revocation
from tests.identity.conftest import LIFETIME, PASSWORD, browse, log_in, register

NEW = "nine grey geese at noon"


@pytest.mark.case("A8-5")
@pytest.mark.case("A2-3")
def test_logging_out_ends_the_session_for_good(identity: IdentityService) -> None:
    register(identity, "grace")
    token, person = browse(identity, "grace")
    identity.log_out([token])
    assert identity.sessions.resolve(token) is None
    assert identity.sessions.by_id(person.session_id) is None
    assert identity.sessions.ended_among([person.session_id]) == {person.session_id}


@pytest.mark.case("GHSA-3rw9-wmc8-8948")
@pytest.mark.case("A8-4")
def test_a_session_has_an_absolute_end(identity: IdentityService, database: Database) -> None:
    register(identity, "grace")
    token, person = browse(identity, "grace")
    with database.writing("eight hours pass") as session:
        row = session.get(LoginSession, person.session_id)
        assert row is not None
        assert row.expires_at - row.created_at == pytest.approx(LIFETIME, abs=timedelta(seconds=5))
        row.expires_at -= LIFETIME
    assert identity.sessions.resolve(token) is None
    assert identity.sessions.ended_among([person.session_id]) == {person.session_id}


@pytest.mark.case("A8-7")
@pytest.mark.case("A2-4")
def test_a_changed_password_ends_all_other_sessions_and_the_old_password(identity: IdentityService) -> None:
    register(identity, "grace")
    thief, _ = browse(identity, "grace")
    own, person = browse(identity, "grace")
    identity.change_password(person, PASSWORD, NEW)
    assert identity.sessions.resolve(thief) is None
    assert identity.sessions.resolve(own) == person
    with pytest.raises(Refused):
        log_in(identity, "grace")
    assert log_in(identity, "grace", password=NEW)


def test_the_present_password_is_asked_for_and_guessing_it_is_slowed_down(identity: IdentityService) -> None:
    register(identity, "grace")
    _, person = browse(identity, "grace")
    sentences = []
    for _ in range(7):
        with pytest.raises(Refused) as refused:
            identity.change_password(person, "wrong", NEW)
        sentences.append(refused.value.sentence)
    assert "present password is wrong" in sentences[0]
    assert "Too many" in sentences[-1]


@pytest.mark.case("A8-6")
@pytest.mark.case("A2-4")
def test_disabling_a_user_ends_sessions_links_and_codes_and_stops_environments(database: Database) -> None:
    stopped: list[str] = []
    identity = IdentityService(database, LIFETIME, lambda _session, user_id: stopped.append(user_id))
    user = register(identity, "grace")
    token, person = browse(identity, "grace")
    link = identity.make_password_link(user.id)
    code = identity.log_in_with_password("grace", PASSWORD, "a binding", "")
    identity.disable(user.id)
    assert stopped == [user.id]
    assert identity.sessions.resolve(token) is None
    assert identity.sessions.by_id(person.session_id) is None
    assert identity.look_at_link(link) is None
    with pytest.raises(Refused):
        identity.begin_session(code, ["a binding"], [], "", "")
    with pytest.raises(Refused, match="disabled"):
        log_in(identity, "grace")


def test_an_enabled_user_logs_in_again_but_old_sessions_stay_ended(identity: IdentityService) -> None:
    user = register(identity, "grace")
    token, _ = browse(identity, "grace")
    identity.disable(user.id)
    identity.enable(user.id)
    assert identity.sessions.resolve(token) is None
    assert log_in(identity, "grace")


@pytest.mark.case("A8-8")
def test_an_administrator_ends_a_person_s_sessions_by_disabling(identity: IdentityService, database: Database) -> None:
    user = register(identity, "grace")
    browse(identity, "grace")
    browse(identity, "grace")
    identity.disable(user.id)
    with database.reading() as session:
        rows = session.exec(select(LoginSession).where(LoginSession.user_id == user.id)).all()
    assert [row.ended_why for row in rows] == ["user disabled", "user disabled"]


@pytest.mark.case("A8-9")
def test_a_person_sees_and_ends_own_sessions_and_nobody_else_s(identity: IdentityService) -> None:
    register(identity, "grace")
    register(identity, "eve")
    other, elsewhere = browse(identity, "grace")
    own, person = browse(identity, "grace")
    _, eve = browse(identity, "eve")
    assert {view.id for view in identity.sessions.of_user(person.user_id)} == {elsewhere.session_id, person.session_id}
    identity.end_session(eve, elsewhere.session_id)
    assert identity.sessions.resolve(other)
    identity.end_session(person, elsewhere.session_id)
    assert identity.sessions.resolve(other) is None
    browse(identity, "grace")
    identity.end_other_sessions(person)
    assert [view.id for view in identity.sessions.of_user(person.user_id)] == [person.session_id]
    assert identity.sessions.resolve(own) == person


def test_whoever_listens_hears_of_an_ended_session_after_the_commit_only(identity: IdentityService) -> None:
    register(identity, "grace")
    token, person = browse(identity, "grace")
    heard: list[object] = []

    def listener(session_ids: object) -> None:
        heard.append(session_ids)
        assert identity.sessions.resolve(token) is None

    revocation.listeners.append(listener)
    try:
        identity.sessions.end(person.session_id, "a test")
        identity.sessions.end(person.session_id, "a test, again")
    finally:
        revocation.listeners.remove(listener)
    assert heard == [frozenset({person.session_id})]


def test_while_the_database_is_silent_nobody_is_taken_for_logged_out() -> None:
    nowhere = Database("postgresql+psycopg://nobody@127.0.0.1:1/nothing")
    sessions = Sessions(nowhere, LIFETIME)
    for look in (sessions.resolve, sessions.by_id, lambda key: sessions.ended_among([key])):
        with pytest.raises(DatabaseSilent):
            look("whatever")
    nowhere.close()


@pytest.mark.case("A8-7")
@pytest.mark.parametrize("act", ["change_password", "end_sessions", "set_role"])
def test_a_code_that_a_login_page_still_holds_ends_with_the_sessions(identity: IdentityService, act: str) -> None:
    user = register(identity, "grace")
    _, grace = browse(identity, "grace")
    form = digest("another browser's form")
    code = identity.log_in_with_password("grace", PASSWORD, form, "192.0.2.9")
    acts: dict[str, Callable[[], None]] = {
        "change_password": lambda: identity.change_password(grace, PASSWORD, "nine quick foxes at dusk"),
        "end_sessions": lambda: identity.people.end_sessions(user.id),
        "set_role": lambda: identity.people.set_role(user.id, Role.AUDITOR),
    }
    acts[act]()
    with pytest.raises(Refused):
        identity.begin_session(code, [form], [], "192.0.2.9", "a browser")

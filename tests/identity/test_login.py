"""Logging in: a password becomes a code, the code a session, once and in one browser. On both databases."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlmodel import select

from hub.audit.model import Event
from hub.database import Database
from hub.errors import Refused
from hub.identity import authenticator, service
from hub.identity.model import LoginSession, OneTimeCode
from hub.identity.roles import Role
from hub.identity.service import IdentityService
from hub.identity.tokens import digest, new_token
from tests.identity.conftest import PASSWORD, log_in, register

FORM = digest("a form's cookie")


def begin(identity: IdentityService, code: str, binding: str = FORM) -> str:
    return identity.begin_session(code, [binding], [], "192.0.2.1", "a browser")


def test_the_right_password_leads_to_a_session(identity: IdentityService) -> None:
    user = register(identity, "grace")
    _, person = log_in(identity, " GRACE ")
    assert (person.user_id, person.name, person.display_name) == (user.id, "grace", "Grace Hopper")


@pytest.mark.case("A8-17")
def test_a_wrong_name_and_a_wrong_password_get_the_same_sentence_at_the_same_cost(
    identity: IdentityService, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(identity, "grace")
    identity.add_user("newcomer", "No Password Yet", Role.USER)
    checks: list[str] = []
    original = authenticator.matches

    def counted(password: str, password_hash: str) -> bool:
        checks.append(password_hash[:7])
        return original(password, password_hash)

    monkeypatch.setattr(authenticator, "matches", counted)
    sentences = set()
    for name in ("grace", "nobody", "newcomer", "", "x" * 5000, "' OR 1=1 --", "\0"):
        with pytest.raises(Refused) as refused:
            identity.log_in_with_password(name, "wrong", FORM, "192.0.2.1")
        sentences.add(refused.value.sentence)
    assert sentences == {service._WRONG}
    assert checks == ["$2b$12$"] * 7


def test_without_the_form_s_cookie_there_is_no_code(identity: IdentityService) -> None:
    register(identity, "grace")
    with pytest.raises(Refused, match="cookies"):
        identity.log_in_with_password("grace", PASSWORD, "", "192.0.2.1")


def test_a_code_works_once(identity: IdentityService) -> None:
    register(identity, "grace")
    code = identity.log_in_with_password("grace", PASSWORD, FORM, "")
    begin(identity, code)
    with pytest.raises(Refused, match="Log in again"):
        begin(identity, code)


def test_of_many_who_spend_a_code_at_once_one_wins(identity: IdentityService) -> None:
    register(identity, "grace")
    code = identity.log_in_with_password("grace", PASSWORD, FORM, "")

    def spend(_: int) -> bool:
        try:
            begin(identity, code)
        except Refused:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(spend, range(8))) == 1


def test_a_code_of_another_browser_opens_nothing_and_stays_good_in_its_own(identity: IdentityService) -> None:
    register(identity, "grace")
    code = identity.log_in_with_password("grace", PASSWORD, FORM, "")
    with pytest.raises(Refused):
        begin(identity, code, digest("another browser's cookie"))
    assert begin(identity, code)


def test_a_code_ends_after_a_minute(identity: IdentityService, database: Database) -> None:
    register(identity, "grace")
    code = identity.log_in_with_password("grace", PASSWORD, FORM, "")
    with database.writing("a minute passes") as session:
        row = session.get(OneTimeCode, digest(code))
        assert row is not None
        row.expires_at -= timedelta(seconds=61)
    with pytest.raises(Refused):
        begin(identity, code)


def test_a_code_for_something_else_is_no_login(identity: IdentityService) -> None:
    link = identity.make_password_link(register(identity, "grace").id)
    with pytest.raises(Refused):
        begin(identity, link)


@pytest.mark.case("A8-2")
def test_no_secret_that_a_browser_holds_is_in_the_database(identity: IdentityService, database: Database) -> None:
    link = identity.make_password_link(register(identity, "grace").id)
    token, _ = log_in(identity, "grace")
    code = identity.log_in_with_password("grace", PASSWORD, FORM, "")
    with database.reading() as session:
        rows = [*session.exec(select(LoginSession)).all(), *session.exec(select(OneTimeCode)).all()]
    stored = " ".join(str(row.model_dump()) for row in rows)
    assert digest(token) in stored
    for secret in (token, code, link):
        assert len(secret) == 43, "256 bits"
        assert secret not in stored


@pytest.mark.case("A8-2")
def test_session_tokens_never_repeat() -> None:
    assert len({new_token() for _ in range(10_000)}) == 10_000


@pytest.mark.case("GHSA-f24x-5g9q-753f")
@pytest.mark.case("A8-3")
def test_logging_in_ends_the_session_that_the_browser_had_and_gives_a_new_one(identity: IdentityService) -> None:
    register(identity, "grace")
    planted, before = log_in(identity, "grace")
    token, after = log_in(identity, "grace", (planted,))
    assert token != planted
    assert after.session_id != before.session_id
    assert identity.sessions.resolve(planted) is None


@pytest.mark.case("A8-3")
def test_a_cookie_that_was_planted_before_login_never_becomes_a_session(identity: IdentityService) -> None:
    register(identity, "grace")
    planted = new_token()
    token, _ = log_in(identity, "grace", (planted,))
    assert token != planted
    assert identity.sessions.resolve(planted) is None


def test_a_login_is_an_event(identity: IdentityService, database: Database) -> None:
    user = register(identity, "grace")
    log_in(identity, "grace")
    with database.reading() as session:
        event = session.exec(select(Event).where(Event.act == "login")).one()
    assert (event.actor_id, event.subject_id, event.detail) == (user.id, user.id, {"by": "password"})
    assert event.address == "192.0.2.1"


@pytest.mark.case("CVE-2026-54338")
def test_a_user_name_of_ten_megabytes_is_a_short_line_in_the_log(
    identity: IdentityService, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("x" * 10_000_000, "eve\r\n2026-11-23 admin logged in", "\u2028\x1b[2J" * 1000):
        with pytest.raises(Refused):
            identity.log_in_with_password(name, "wrong", FORM, "192.0.2.1\n" * 100)
    assert len(caplog.records) == 3
    for record in caplog.records:
        line = record.getMessage()
        assert len(line.encode()) <= 512
        assert line.isprintable()
        assert line.isascii() or "…" in line

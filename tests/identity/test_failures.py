"""Many addresses guess one name: it closes for strangers and never for its owner. On both databases."""

from datetime import timedelta

import pytest
from sqlmodel import func, select

from hub.clock import now
from hub.database import Database
from hub.errors import Refused
from hub.identity import failures
from hub.identity.failures import MOST
from hub.identity.model import LoginFailure
from hub.identity.service import IdentityService
from hub.identity.tokens import digest
from tests.identity.conftest import PASSWORD, register

FORM = digest("a form's cookie")
HOME, ELSEWHERE = "198.51.100.7", "203.0.113.9"


@pytest.fixture
def guessed(identity: IdentityService, database: Database) -> IdentityService:
    """Grace has worked at home; then her name and one that is nobody's were guessed from everywhere."""
    register(identity, "grace")
    identity.sessions.open(identity.find_user("grace").id, HOME, "a browser")
    with database.writing("guesses") as session:
        for name in ("grace", "nobody"):
            session.add_all(LoginFailure(name_hash=digest(name)) for _ in range(MOST))
    return identity


def counted(database: Database, name: str) -> int:
    with database.reading() as session:
        mine = select(func.count()).select_from(LoginFailure).where(LoginFailure.name_hash == digest(name))
        return session.exec(mine).one()


def test_a_wrong_password_is_counted_for_names_that_do_not_exist_too(identity: IdentityService, database: Database) -> None:
    register(identity, "grace")
    for name in ("Grace ", "nobody"):
        with pytest.raises(Refused, match="wrong"):
            identity.log_in_with_password(name, "a wrong one", FORM, ELSEWHERE)
    identity.log_in_with_password("grace", PASSWORD, FORM, ELSEWHERE)
    assert (counted(database, "grace"), counted(database, "nobody")) == (1, 1)


def test_after_many_no_address_guesses_on_and_none_learns_which_names_exist(guessed: IdentityService) -> None:
    said = set()
    for number, name in enumerate(("grace", "nobody")):
        with pytest.raises(Refused) as refused:
            guessed.log_in_with_password(name, PASSWORD, digest(f"form {number}"), f"203.0.113.{number}")
        said.add(refused.value.sentence)
    assert said == {failures._GUESSED}


def test_the_owner_goes_on_at_the_usual_place(guessed: IdentityService) -> None:
    assert guessed.log_in_with_password("grace", PASSWORD, FORM, HOME)


def test_the_owner_goes_on_in_the_usual_browser_anywhere(guessed: IdentityService) -> None:
    guessed.log_in_with_password("grace", PASSWORD, FORM, HOME)
    assert guessed.log_in_with_password("grace", PASSWORD, FORM, ELSEWHERE)


def test_a_password_link_opens_the_name_everywhere_again(guessed: IdentityService) -> None:
    link = guessed.make_password_link(guessed.find_user("grace").id)
    guessed.set_password_by_link(link, "quite another long password")
    assert guessed.log_in_with_password("grace", "quite another long password", FORM, ELSEWHERE)


def test_an_hour_later_it_is_over_and_nothing_is_kept(guessed: IdentityService, monkeypatch: pytest.MonkeyPatch) -> None:
    later = now() + timedelta(hours=1, minutes=1)
    monkeypatch.setattr(failures, "now", lambda: later)
    with pytest.raises(Refused, match="wrong"):
        guessed.log_in_with_password("grace", "a wrong one", FORM, ELSEWHERE)
    assert counted(guessed._database, "grace") <= 1
    assert counted(guessed._database, "nobody") == 0

"""People and their one-time links, and who may manage whom. On both databases."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlmodel import select

from hub.audit.model import Event
from hub.clock import now
from hub.database import Database
from hub.errors import Conflict, Invalid, NotFound, PodiumError, Refused
from hub.identity import links
from hub.identity.model import OneTimeCode
from hub.identity.person import Person
from hub.identity.roles import Role
from hub.identity.service import IdentityService
from hub.identity.tokens import digest
from tests.identity.conftest import PASSWORD, browse, log_in, register


def test_the_first_administrator_chooses_name_and_password_by_a_link(identity: IdentityService) -> None:
    link = identity.first_administrator_link()
    assert link is not None
    view = identity.look_at_link(link)
    assert view is not None
    assert view.chooses_name
    user = identity.set_password_by_link(link, PASSWORD, "Grace@Example.org", "Grace Hopper")
    assert (user.name, user.display_name, user.role) == ("grace@example.org", "Grace Hopper", Role.ADMINISTRATOR)
    assert log_in(identity, "grace@example.org")[1].is_administrator
    assert identity.first_administrator_link() is None


def test_a_later_start_makes_the_earlier_first_link_worthless_and_hubs_that_start_at_once_do_not(
    identity: IdentityService, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = identity.first_administrator_link(), identity.first_administrator_link()
    assert first
    assert second
    assert identity.look_at_link(first)
    assert identity.look_at_link(second)
    monkeypatch.setattr(links, "now", lambda: now() + timedelta(minutes=5))
    third = identity.first_administrator_link()
    assert third
    assert [identity.look_at_link(link) is not None for link in (first, second, third)] == [False, False, True]
    assert identity.people.search(None)[1] == 1


def test_the_first_link_is_gone_once_any_administrator_can_browse(identity: IdentityService) -> None:
    link = identity.first_administrator_link()
    assert link is not None
    register(identity, "grace", Role.ADMINISTRATOR)
    assert identity.look_at_link(link) is None
    with pytest.raises(Refused, match="used already"):
        identity.set_password_by_link(link, PASSWORD, "eve", "Eve")


def test_a_link_works_once_even_for_many_at_once(identity: IdentityService) -> None:
    link = identity.make_password_link(identity.add_user("grace", "Grace", Role.USER).id)

    def use(number: int) -> bool:
        try:
            identity.set_password_by_link(link, f"{PASSWORD} {number}")
        except Refused:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(use, range(4))) == 1
    assert identity.look_at_link(link) is None


def test_a_refused_password_leaves_the_link_good(identity: IdentityService) -> None:
    link = identity.make_password_link(identity.add_user("grace", "Grace", Role.USER).id)
    with pytest.raises(Invalid):
        identity.set_password_by_link(link, "short")
    assert identity.set_password_by_link(link, PASSWORD).has_password


def test_a_link_ends_after_a_day_and_a_newer_one_replaces_it(identity: IdentityService, database: Database) -> None:
    user = identity.add_user("grace", "Grace", Role.USER)
    replaced, link = identity.make_password_link(user.id), identity.make_password_link(user.id)
    assert identity.look_at_link(replaced) is None
    with database.writing("a day passes") as session:
        row = session.get(OneTimeCode, digest(link))
        assert row is not None
        row.expires_at -= timedelta(hours=24)
    assert identity.look_at_link(link) is None
    with pytest.raises(Refused, match="older than a day"):
        identity.set_password_by_link(link, PASSWORD)


def test_a_new_password_by_link_ends_all_sessions(identity: IdentityService) -> None:
    user = register(identity, "grace")
    token, _ = browse(identity, "grace")
    identity.set_password_by_link(identity.make_password_link(user.id), f"{PASSWORD} again")
    assert identity.sessions.resolve(token) is None


@pytest.mark.parametrize("name", ["", "a b", "x" * 21, "gräce", "grace\n", "../grace", "😀", "x" * 10_000, "a\0b", "<b>"])
def test_a_user_name_that_cannot_be_is_refused_with_what_can(identity: IdentityService, name: str) -> None:
    with pytest.raises(Invalid, match="1 to 20 plain letters"):
        identity.add_user(name.replace("grace\n", "gra\nce"), "Grace", Role.USER)


@pytest.mark.parametrize("name", ["Ada", "李", "Åsa Öberg-O'Brien 3rd", "עדה", "😀", "<script>alert(1)</script>"])
def test_a_person_s_name_may_be_in_any_script(identity: IdentityService, name: str) -> None:
    assert identity.add_user("grace", f" {name} ", Role.USER).display_name == name


@pytest.mark.parametrize("name", ["", "  ", "x" * 101, "x" * 10_000, "a\nb", "a\0b", "\u202eecarG", "\ud800"])
def test_a_person_s_name_that_disguises_or_hides_is_refused(identity: IdentityService, name: str) -> None:
    with pytest.raises(Invalid):
        identity.add_user("grace", name, Role.USER)


def test_a_name_belongs_to_one_person_whatever_its_case(identity: IdentityService) -> None:
    identity.add_user("grace", "Grace", Role.USER)
    with pytest.raises(Conflict, match="already"):
        identity.add_user("GRACE", "Another", Role.USER)


def test_users_are_listed_page_by_page(identity: IdentityService) -> None:
    for name in ("carol", "alice", "bob"):
        identity.add_user(name, name.title(), Role.USER)
    first, total = identity.people.search(None, size=2)
    second, _ = identity.people.search(None, page=1, size=2)
    assert [user.name for user in (*first, *second)] == ["alice", "bob", "carol"]
    assert total == 3
    assert identity.find_user("Alice").display_name == "Alice"
    with pytest.raises(NotFound):
        identity.find_user("nobody")


@pytest.mark.case("CVE-2024-41942")
@pytest.mark.parametrize(
    "act",
    [
        lambda identity, eve, _victim: identity.add_user("new", "New", Role.ADMINISTRATOR, actor=eve),
        lambda identity, eve, _victim: identity.add_user("new", "New", Role.USER, actor=eve),
        lambda identity, eve, victim: identity.make_password_link(victim, actor=eve),
        lambda identity, eve, victim: identity.disable(victim, actor=eve),
        lambda identity, eve, victim: identity.enable(victim, actor=eve),
    ],
)
def test_who_is_no_administrator_manages_nobody(
    identity: IdentityService, act: Callable[[IdentityService, Person, str], object]
) -> None:
    register(identity, "eve")
    victim = register(identity, "grace", Role.ADMINISTRATOR)
    _, eve = browse(identity, "eve")
    before = identity.people.search(None)
    with pytest.raises(Refused, match="administrators"):
        act(identity, eve, victim.id)
    assert identity.people.search(None) == before


def test_an_administrator_cannot_disable_the_own_account(identity: IdentityService) -> None:
    user = register(identity, "grace", Role.ADMINISTRATOR)
    _, person = browse(identity, "grace")
    with pytest.raises(Refused, match="yourself"):
        identity.disable(user.id, actor=person)


def test_every_act_on_people_is_an_event_with_who_did_it(identity: IdentityService, database: Database) -> None:
    register(identity, "grace", Role.ADMINISTRATOR)
    _, grace = browse(identity, "grace")
    user = identity.add_user("eve", "Eve", Role.USER, actor=grace)
    identity.make_password_link(user.id, actor=grace)
    identity.disable(user.id, actor=grace)
    identity.enable(user.id, actor=grace)
    with database.reading() as session:
        acts = [
            event.act
            for event in session.exec(select(Event).where(Event.actor_id == grace.user_id, Event.subject_id == user.id))
        ]
    assert sorted(acts) == ["password link made", "user added", "user disabled", "user enabled"]


def test_an_act_that_fails_leaves_no_event_and_no_trace(database: Database) -> None:
    def breaks(_session: object, _user_id: str) -> None:
        raise PodiumError("The environments cannot be stopped.")

    identity = IdentityService(database, timedelta(hours=8), breaks)
    user = register(identity, "grace")
    token, _ = browse(identity, "grace")
    with pytest.raises(PodiumError):
        identity.disable(user.id)
    assert identity.sessions.resolve(token)
    with database.reading() as session:
        assert session.exec(select(Event).where(Event.act == "user disabled")).first() is None

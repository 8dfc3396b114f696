"""What administrators do with people: find, let in, give roles, log out; and who may not."""

from collections.abc import Callable

import pytest

from hub.errors import Conflict, Refused
from hub.identity.administration import UserFilter
from hub.identity.model import Approval, RoleSource, User
from hub.identity.person import Person
from hub.identity.roles import Role
from hub.identity.service import IdentityService
from tests.identity.conftest import browse, register


def grace_and(identity: IdentityService, role: Role) -> tuple[str, Person]:
    """Grace's id, and somebody of that role who is logged in."""
    register(identity, "somebody", role)
    return register(identity, "grace").id, browse(identity, "somebody")[1]


ACTS: dict[str, Callable[[IdentityService, str, Person], object]] = {
    "approve": lambda identity, user, actor: identity.people.approve(user, actor=actor),
    "set_role": lambda identity, user, actor: identity.people.set_role(user, Role.AUDITOR, actor=actor),
    "follow_groups": lambda identity, user, actor: identity.people.follow_groups(user, actor=actor),
    "end_sessions": lambda identity, user, actor: identity.people.end_sessions(user, actor=actor),
    "disable": lambda identity, user, actor: identity.disable(user, actor=actor),
    "enable": lambda identity, user, actor: identity.enable(user, actor=actor),
    "make_password_link": lambda identity, user, actor: identity.make_password_link(user, actor=actor),
    "add_user": lambda identity, _user, actor: identity.add_user("new", "New", Role.USER, actor=actor),
}


@pytest.mark.case("CVE-2024-41942")
@pytest.mark.parametrize("role", [Role.USER, Role.AUDITOR])
@pytest.mark.parametrize("act", ACTS)
def test_who_is_no_administrator_changes_nobody(identity: IdentityService, role: Role, act: str) -> None:
    user_id, actor = grace_and(identity, role)
    before = identity.people.search(None)
    with pytest.raises(Refused):
        ACTS[act](identity, user_id, actor)
    assert identity.people.search(None) == before


def test_a_changed_role_counts_from_the_next_login_on(identity: IdentityService) -> None:
    user_id, administrator = grace_and(identity, Role.ADMINISTRATOR)
    _, grace = browse(identity, "grace")
    identity.people.set_role(user_id, Role.AUDITOR, actor=administrator)
    assert identity.sessions.by_id(grace.session_id) is None
    assert browse(identity, "grace")[1].role is Role.AUDITOR


@pytest.mark.case("CVE-2024-41942")
def test_nobody_changes_the_own_role(identity: IdentityService) -> None:
    _, administrator = grace_and(identity, Role.ADMINISTRATOR)
    with pytest.raises(Refused):
        identity.people.set_role(administrator.user_id, Role.USER, actor=administrator)


def test_an_administrator_logs_somebody_out_everywhere(identity: IdentityService) -> None:
    user_id, administrator = grace_and(identity, Role.ADMINISTRATOR)
    sessions = [browse(identity, "grace")[1] for _ in range(3)]
    identity.people.end_sessions(user_id, actor=administrator)
    assert not any(identity.sessions.by_id(person.session_id) for person in sessions)
    assert identity.sessions.by_id(administrator.session_id)


def test_only_who_waits_is_let_in(identity: IdentityService) -> None:
    user_id, administrator = grace_and(identity, Role.ADMINISTRATOR)
    with pytest.raises(Conflict):
        identity.people.approve(user_id, actor=administrator)
    with identity._database.writing("test") as session:
        session.get_one(User, user_id).approval = Approval.PENDING
    assert identity.people.get(administrator, user_id).state == "pending"
    identity.people.approve(user_id, actor=administrator)
    assert identity.people.get(administrator, user_id).state == "active"


def test_a_role_may_follow_the_groups_again(identity: IdentityService) -> None:
    user_id, administrator = grace_and(identity, Role.ADMINISTRATOR)
    identity.people.follow_groups(user_id, actor=administrator)
    assert identity.people.get(administrator, user_id).role_source is RoleSource.GROUPS


def test_people_are_found_by_any_of_their_names_and_by_role_and_state(identity: IdentityService) -> None:
    register(identity, "grace", display_name="Grace Hopper")
    register(identity, "ada", Role.ADMINISTRATOR, "Ada Lovelace")
    identity.disable(register(identity, "bob", display_name="Bob 100%").id)

    def names(**which: object) -> list[str]:
        return [view.name for view in identity.people.search(None, UserFilter(**which))[0]]  # type: ignore[arg-type]

    assert names(text="HOPPER") == ["grace"]
    assert names(text="0%") == ["bob"]
    assert names(text="_") == []
    assert names(role=Role.ADMINISTRATOR) == ["ada"]
    assert names(state="disabled") == ["bob"]
    assert names(state="active") == ["ada", "grace"]
    assert [view.name for view in identity.people.search(None, sort="-name")[0]] == ["grace", "bob", "ada"]


@pytest.mark.parametrize(("role", "sees"), [(Role.USER, False), (Role.AUDITOR, True), (Role.ADMINISTRATOR, True)])
def test_administrators_and_auditors_see_people_and_others_themselves(
    identity: IdentityService, role: Role, *, sees: bool
) -> None:
    user_id, person = grace_and(identity, role)
    assert identity.people.get(person, person.user_id).name == "somebody"
    for look in (lambda: identity.people.search(person), lambda: identity.people.get(person, user_id)):
        if sees:
            look()
        else:
            with pytest.raises(Refused):
                look()

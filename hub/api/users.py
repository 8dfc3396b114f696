"""People over the API: what administrators do, and what auditors see."""

from typing import Literal

from fastapi import APIRouter, Response

from hub.api import ROOT
from hub.api.callers import Hub, ReadsUsers, WritesUsers
from hub.api.paging import Page, Pages, Text, page_of
from hub.api.problems import documented
from hub.api.shapes import NewUser, PasswordLink, RoleChange, RowId, User
from hub.identity.administration import UserFilter
from hub.identity.roles import Role

router = APIRouter(prefix="/users", tags=["users"])
Sort = Literal["name", "-name", "created_at", "-created_at"]
State = Literal["active", "pending", "disabled"]
_WRITE = documented(404, 409)


@router.get("")
def list_users(
    caller: ReadsUsers,
    hub: Hub,
    paging: Pages,
    q: Text = "",
    role: Role | None = None,
    state: State | None = None,
    sort: Sort = "name",
) -> Page[User]:
    """Everybody who may log in, or asks to."""
    found = hub.identity.people.search(caller.person, UserFilter(q, role, state), paging.page - 1, paging.size, sort)
    return page_of(paging, found, User.model_validate)


@router.post("", status_code=201, responses=documented(409))
def add_user(caller: WritesUsers, hub: Hub, new: NewUser, response: Response) -> User:
    """A new local account. It opens with a password link."""
    view = hub.identity.add_user(new.name, new.display_name or new.name, new.role, actor=caller.person)
    response.headers["location"] = f"{ROOT}/users/{view.id}"
    return User.model_validate(view)


@router.get("/{user_id}", responses=documented(404))
def read_user(caller: ReadsUsers, hub: Hub, user_id: RowId) -> User:
    """One person."""
    return User.model_validate(hub.identity.people.get(caller.person, user_id))


@router.put("/{user_id}/role", responses=_WRITE)
def set_role(caller: WritesUsers, hub: Hub, user_id: RowId, change: RoleChange) -> User:
    """Give a role; the person logs in anew."""
    hub.identity.people.set_role(user_id, change.role, actor=caller.person)
    return User.model_validate(hub.identity.people.get(caller.person, user_id))


@router.post("/{user_id}/approve", responses=_WRITE)
def approve_user(caller: WritesUsers, hub: Hub, user_id: RowId) -> User:
    """Let somebody in who asked to enter."""
    hub.identity.people.approve(user_id, actor=caller.person)
    return User.model_validate(hub.identity.people.get(caller.person, user_id))


@router.post("/{user_id}/disable", responses=_WRITE)
def disable_user(caller: WritesUsers, hub: Hub, user_id: RowId) -> User:
    """End sessions and tokens and stop environments; workspaces stay."""
    hub.identity.disable(user_id, actor=caller.person)
    return User.model_validate(hub.identity.people.get(caller.person, user_id))


@router.post("/{user_id}/enable", responses=_WRITE)
def enable_user(caller: WritesUsers, hub: Hub, user_id: RowId) -> User:
    """Let a disabled person log in again."""
    hub.identity.enable(user_id, actor=caller.person)
    return User.model_validate(hub.identity.people.get(caller.person, user_id))


@router.post("/{user_id}/password-link", status_code=201, responses=_WRITE)
def make_password_link(caller: WritesUsers, hub: Hub, user_id: RowId) -> PasswordLink:
    """A one-time link with which the person sets a new password."""
    token = hub.identity.make_password_link(user_id, actor=caller.person)
    return PasswordLink(address=f"{hub.settings.root_url}/set-password?link={token}")


@router.delete("/{user_id}/sessions", status_code=204, responses=_WRITE)
def end_sessions_of(caller: WritesUsers, hub: Hub, user_id: RowId) -> None:
    """Log a person out everywhere."""
    hub.identity.people.end_sessions(user_id, actor=caller.person)

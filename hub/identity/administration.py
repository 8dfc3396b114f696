"""What administrators do with people: find them, let them in, give roles, end sessions.

Auditors may look. Nobody changes the own role or makes somebody mightier than themselves, and whose
role changes logs in anew, so that no session from before carries it.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, func
from sqlmodel import Session, col, select

from hub.audit.service import record
from hub.database import Database, holding
from hub.errors import Conflict, Refused
from hub.identity import codes, users
from hub.identity.model import Approval, Login, RoleSource, User
from hub.identity.person import Person
from hub.identity.roles import Role
from hub.identity.sessions import Sessions, sessions_of
from hub.identity.users import UserView

ADMINISTRATORS = "Only administrators may do that."
_SEERS = "Only administrators and auditors may see that."
LARGEST_PAGE = 200

SORTS: dict[str, ColumnElement[Any]] = {
    "name": col(User.name).asc(),
    "-name": col(User.name).desc(),
    "created_at": col(User.created_at).asc(),
    "-created_at": col(User.created_at).desc(),
}


@dataclass(frozen=True)
class UserFilter:
    """`text` is looked for in name, shown name and address; `state` is active, pending or disabled."""

    text: str = ""
    role: Role | None = None
    state: str | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        found: list[ColumnElement[bool]] = []
        if self.text:
            found.append(holding(self.text, User.name, User.display_name, User.email))
        if self.role:
            found.append(col(User.role) == self.role)
        if self.state == "disabled":
            found.append(col(User.disabled_at).is_not(None))
        elif self.state:
            pending = col(User.approval) == Approval.PENDING
            found += [col(User.disabled_at).is_(None), pending if self.state == "pending" else ~pending]
        return found


class Administration:
    """Safe to share between threads. `actor` None is the operator at the machine."""

    def __init__(self, database: Database, sessions: Sessions) -> None:
        self._database, self._sessions = database, sessions

    def search(
        self, actor: Person | None, which: UserFilter = UserFilter(), page: int = 0, size: int = 50, sort: str = "name"
    ) -> tuple[list[UserView], int]:
        """One page of the people that meet the filter, and how many there are in all: three queries."""
        if actor and not actor.sees_all:
            raise Refused(_SEERS)
        size, conditions = min(size, LARGEST_PAGE), which.conditions()
        query = select(User).where(*conditions).order_by(SORTS[sort], col(User.id)).offset(page * size).limit(size)
        with self._database.reading() as session:
            rows = session.exec(query).all()
            total = session.exec(select(func.count()).select_from(User).where(*conditions)).one()
            logins = logins_of(session, [row.id for row in rows])
        return [users.view_of(row, logins.get(row.id, ())) for row in rows], total

    def get(self, actor: Person, user_id: str) -> UserView:
        """One person. Raises `NotFound`; everybody may look at themselves."""
        if not actor.sees_all and actor.user_id != user_id:
            raise Refused(_SEERS)
        with self._database.reading() as session:
            user = users.get(session, user_id)
            return users.view_of(user, logins_of(session, [user_id]).get(user_id, ()))

    def approve(self, user_id: str, *, actor: Person | None = None) -> None:
        """Let somebody in who asked to enter. Raises `Refused`, `NotFound`, `Conflict`."""
        require_administrator(actor)
        with self._database.writing("user approved") as session:
            user = users.get(session, user_id)
            if user.approval is not Approval.PENDING:
                raise Conflict("This account does not wait for anybody.")
            user.approval = Approval.GIVEN
            record(session, actor, "user approved", user_id, name=user.name)

    def set_role(self, user_id: str, role: Role, *, actor: Person | None = None) -> None:
        """Give a role, which groups then change no more; the person logs in anew. Raises `Refused`, `NotFound`."""
        require_administrator(actor)
        if actor and actor.user_id == user_id:
            raise Refused("You cannot change your own role. Ask another administrator.")
        with self._database.writing("role changed") as session:
            user = users.get(session, user_id)
            if user.role is role and user.role_source is RoleSource.SET:
                return
            record(session, actor, "role changed", user_id, name=user.name, role=role.value, before=user.role.value)
            user.role, user.role_source = role, RoleSource.SET
            codes.withdraw_logins(session, user_id)
            self._sessions.end_in(session, sessions_of(user_id), "role changed")

    def follow_groups(self, user_id: str, *, actor: Person | None = None) -> None:
        """Let the provider's groups decide the role again, from the next login on."""
        require_administrator(actor)
        with self._database.writing("role follows groups") as session:
            user = users.get(session, user_id)
            user.role_source = RoleSource.GROUPS
            record(session, actor, "role follows groups", user_id, name=user.name)

    def end_sessions(self, user_id: str, *, actor: Person | None = None) -> None:
        """Log a person out everywhere."""
        require_administrator(actor)
        with self._database.writing("sessions ended") as session:
            user = users.get(session, user_id)
            codes.withdraw_logins(session, user_id)
            ended = self._sessions.end_in(session, sessions_of(user_id), "ended by an administrator")
            record(session, actor, "sessions ended", user_id, name=user.name, count=str(len(ended)))


def require_administrator(actor: Person | None) -> None:
    """Raises `Refused` for everybody but administrators and the operator at the machine."""
    if actor is not None and not actor.is_administrator:
        raise Refused(ADMINISTRATORS)


def logins_of(session: Session, user_ids: Collection[str]) -> dict[str, list[Login]]:
    """The logins of these people: one query."""
    found: dict[str, list[Login]] = {}
    for login in session.exec(select(Login).where(col(Login.user_id).in_(user_ids))).all():
        found.setdefault(login.user_id, []).append(login)
    return found

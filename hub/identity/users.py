"""The rows of people as services and pages see them, and the rules that their names follow."""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, select

from hub.errors import Conflict, Invalid, NotFound
from hub.identity import authenticator
from hub.identity.model import Approval, Login, RoleSource, User
from hub.identity.roles import Role

PASSWORD = "password"  # noqa: S105 - the kind of a login, no secret
LONGEST_DISPLAY_NAME = 100


@dataclass(frozen=True)
class UserView:
    """A person's row for a list. `last_login_at` is None where no login has happened yet."""

    id: str
    name: str
    display_name: str
    email: str | None
    role: Role
    role_source: RoleSource
    approval: Approval
    has_password: bool
    disabled_at: datetime | None
    created_at: datetime
    last_login_at: datetime | None

    @property
    def state(self) -> str:
        """active, pending or disabled."""
        if self.disabled_at:
            return "disabled"
        return "pending" if self.approval is Approval.PENDING else "active"


def view_of(user: User, logins: Iterable[Login] = ()) -> UserView:
    used = [(login.kind, login.last_used_at) for login in logins]
    return UserView(
        user.id,
        user.name,
        user.display_name,
        user.email,
        user.role,
        user.role_source,
        user.approval,
        any(kind == PASSWORD for kind, _ in used),
        user.disabled_at,
        user.created_at,
        max((at for _, at in used if at), default=None),
    )


def folded(name: str) -> str:
    """The form in which user names are stored and compared: one spelling, lower case."""
    return unicodedata.normalize("NFKC", name[:1000]).strip().lower()


def checked_name(name: str) -> str:
    """A user name as it is stored. Raises `Invalid`."""
    name = folded(name)
    if not authenticator.is_user_name(name):
        raise Invalid("A user name has 1 to 20 plain letters, digits, _ or -, or is an e-mail address.")
    return name


def checked_display_name(display_name: str) -> str:
    """A person's name in any script. Raises `Invalid` for what is empty, too long or not visible."""
    display_name = unicodedata.normalize("NFC", display_name[:1000]).strip()
    if not 1 <= len(display_name) <= LONGEST_DISPLAY_NAME:
        raise Invalid(f"A name has 1 to {LONGEST_DISPLAY_NAME} characters.")
    if any(character in _TURNING or unicodedata.category(character) in _UNSEEN for character in display_name):
        raise Invalid("A name has visible characters only; this one has others.")
    return display_name


_UNSEEN = frozenset({"Cc", "Cs", "Cn", "Co", "Zl", "Zp"})
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Characters that turn the text around them, so that a name could disguise what stands beside it."""


def create(session: Session, name: str, display_name: str, role: Role, email: str | None = None) -> User:
    """A new person without a login, within the caller's transaction. Raises `Invalid` or `Conflict`."""
    if email is not None and not authenticator.is_email(email):
        raise Invalid("This is no e-mail address.")
    user = User(name=checked_name(name), display_name=checked_display_name(display_name), role=role, email=email)
    require_free(session, user.name)
    session.add(user)
    session.flush()
    return user


def require_free(session: Session, name: str) -> None:
    """Raises `Conflict` where somebody has that name."""
    if session.exec(select(User.id).where(User.name == name)).first():
        raise Conflict("Somebody has this user name already. Choose another one.")


def get(session: Session, user_id: str) -> User:
    """Raises `NotFound`."""
    user = session.get(User, user_id)
    if user is None:
        raise NotFound("There is no such user.")
    return user


def password_login(session: Session, user_id: str) -> Login | None:
    return session.exec(select(Login).where(Login.user_id == user_id, Login.kind == PASSWORD)).first()


def by_name(session: Session, name: str) -> tuple[User, Login | None] | None:
    """The user of that name and the password login; None where nobody has it. What can be nobody's name is not asked for."""
    name = folded(name)
    if not authenticator.is_user_name(name):
        return None
    query = select(User, Login).join(Login, _own_password(), isouter=True).where(User.name == name)
    return session.exec(query).first()


def administrator_can_log_in(session: Session) -> bool:
    """Whether any administrator has a login, disabled ones included."""
    query = select(User.id).join(Login, col(Login.user_id) == col(User.id)).where(User.role == Role.ADMINISTRATOR)
    return session.exec(query.limit(1)).first() is not None


def _own_password() -> ColumnElement[bool]:
    return (col(Login.user_id) == col(User.id)) & (col(Login.kind) == PASSWORD)

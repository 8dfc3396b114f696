"""Whose login at a provider it is: the person's rows, found by issuer and subject and by nothing else.

An e-mail address never leads to an account: two issuers may give the same one to two people.
"""

import secrets
import unicodedata
from collections.abc import Mapping
from typing import Any

from sqlmodel import Session, select

from hub.audit.service import record
from hub.clock import now
from hub.errors import Invalid
from hub.identity import authenticator, users
from hub.identity.model import Approval, Login, RoleSource, User
from hub.identity.oidc.admission import Admission, Verdict, verified_email
from hub.identity.oidc.providers import Provider
from hub.identity.person import Person
from hub.identity.roles import Role

OIDC = "oidc"
_TRIES = 20
_LONGEST = 20


def find(session: Session, issuer: str, subject: str) -> tuple[Login, User] | None:
    query = select(Login, User).where(Login.issuer == issuer, Login.subject == subject, Login.user_id == User.id)
    return session.exec(query).first()


def create(
    session: Session, provider: Provider, claims: Mapping[str, Any], verdict: Verdict, address: str
) -> tuple[Login, User]:
    """A new person with this login, within the caller's transaction."""
    user = User(
        name=_free_name(session, claims),
        display_name=_display_name(claims),
        email=verified_email(claims),
        role=verdict.role or Role.USER,
        role_source=RoleSource.GROUPS if verdict.role else RoleSource.SET,
        approval=Approval.PENDING if verdict.admission is Admission.PENDING else Approval.NONE,
    )
    session.add(user)
    session.flush()
    login = attach(session, provider, claims, user.id)
    record(session, None, "user added", user.id, name=user.name, by=provider.label, address=address)
    return login, user


def attach(session: Session, provider: Provider, claims: Mapping[str, Any], user_id: str) -> Login:
    login = Login(user_id=user_id, kind=OIDC, issuer=provider.issuer, subject=claims["sub"])
    session.add(login)
    session.flush()
    return login


def renew(session: Session, login: Login, user: User, claims: Mapping[str, Any], verdict: Verdict) -> bool:
    """What each login brings anew: the address, the role where groups give it, and that the login was used.

    True where the role is another one now: sessions from before must not carry on with the old one's pages.
    """
    changed = False
    login.last_used_at = now()
    if email := verified_email(claims):
        user.email = email
    if verdict.role and user.role_source is RoleSource.GROUPS and user.role is not verdict.role:
        record(session, None, "role changed", user.id, role=verdict.role.value, before=user.role.value, by="groups")
        user.role, changed = verdict.role, True
    if verdict.admission is Admission.ADMITTED and user.approval is Approval.PENDING:
        user.approval = Approval.NONE
    session.add(user)
    return changed


def is_in(user: User, verdict: Verdict) -> bool:
    """Whether this person may enter now; whom an administrator let in stays in while the provider leaves it to him."""
    if verdict.admission is Admission.PENDING:
        return user.approval is Approval.GIVEN
    return verdict.admission is Admission.ADMITTED


def unlink(session: Session, person: Person, login_id: str) -> bool:
    """Take one of the person's logins away, never the last one; False where it is not theirs. Raises `Invalid`."""
    logins = session.exec(select(Login).where(Login.user_id == person.user_id)).all()
    login = next((one for one in logins if one.id == login_id and one.kind == OIDC), None)
    if login is None:
        return False
    if len(logins) == 1:
        raise Invalid("This is your only way to log in. Link another one or set a password first.")
    session.delete(login)
    record(session, person, "login unlinked", person.user_id, issuer=login.issuer)
    return True


def _free_name(session: Session, claims: Mapping[str, Any]) -> str:
    base = next((name for name in _wishes(claims) if authenticator.is_user_name(name)), "user")
    for name in (base, *(f"{base[: _LONGEST - 3]}-{number}" for number in range(2, _TRIES))):
        if authenticator.is_user_name(name) and not session.exec(select(User.id).where(User.name == name)).first():
            return name
    return f"user-{secrets.token_hex(6)}"


def _wishes(claims: Mapping[str, Any]) -> list[str]:
    email = verified_email(claims) or ""
    wishes = [claims.get("preferred_username"), email.partition("@")[0]]
    return [users.folded(wish) for wish in wishes if isinstance(wish, str)]


def _display_name(claims: Mapping[str, Any]) -> str:
    """The name that the provider gives, as far as it can be shown."""
    for name in (claims.get("name"), claims.get("preferred_username"), claims.get("email")):
        if isinstance(name, str):
            shown = "".join(one for one in name if unicodedata.category(one)[0] != "C")
            try:
                return users.checked_display_name(shown[: users.LONGEST_DISPLAY_NAME])
            except Invalid:
                continue
    return "Somebody without a name"

"""Rows of people: who they are, how they log in, and the sessions and one-time links they hold.

Secrets that a browser carries (session, link, code) are random and stored as SHA-256 only, so a
stolen copy of the database opens no session.
"""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import JSON, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from hub.clock import new_id, now
from hub.database import UtcDateTime, stored_as_value
from hub.identity.roles import Role


class RoleSource(StrEnum):
    """Who decides a person's role: an administrator, or the groups of the provider at each login."""

    SET = "set"
    GROUPS = "groups"


class Approval(StrEnum):
    """Whether an administrator was asked to let a person in."""

    NONE = "none"
    PENDING = "pending"
    GIVEN = "given"


class User(SQLModel, table=True):
    """A person. `name` is what local accounts log in with; it is never used for naming objects."""

    id: str = Field(default_factory=new_id, primary_key=True)
    name: str = Field(unique=True, max_length=254)
    display_name: str = Field(max_length=100)
    email: str | None = Field(default=None, max_length=254)
    role: Role = Field(default=Role.USER, sa_type=stored_as_value(Role))
    role_source: RoleSource = Field(default=RoleSource.SET, sa_type=stored_as_value(RoleSource))
    approval: Approval = Field(default=Approval.NONE, sa_type=stored_as_value(Approval), index=True)
    disabled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)


class Login(SQLModel, table=True):
    """One way in for a user: a local password, or a subject of an OIDC issuer. E-mail is no key."""

    __table_args__ = (UniqueConstraint("issuer", "subject"),)

    id: str = Field(default_factory=new_id, primary_key=True)
    user_id: str = Field(foreign_key="user.id", index=True)
    kind: str = Field(max_length=20)
    issuer: str = Field(max_length=500)
    subject: str = Field(max_length=255)
    password_hash: str | None = Field(default=None, max_length=255)
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    last_used_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class LoginSession(SQLModel, table=True):
    """A browser that is logged in. Its id may be shown and signed; the cookie's value may not."""

    __tablename__ = "session"

    id: str = Field(default_factory=new_id, primary_key=True)
    token_hash: str = Field(unique=True, max_length=64)
    user_id: str = Field(foreign_key="user.id", index=True)
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime, index=True)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime, index=True)
    ended_why: str | None = Field(default=None, max_length=100)
    address: str = Field(default="", max_length=64)
    user_agent: str = Field(default="", max_length=255)
    last_seen_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    """Within ten minutes; None where nothing came after the login."""
    login_id: str | None = Field(default=None, max_length=32)
    """The login that opened it."""
    provider_session: str | None = Field(default=None, max_length=255, index=True)
    """The provider's own name of its session (`sid`), by which it may end this one."""


class OneTimeCode(SQLModel, table=True):
    """A secret that works once: a password link, a code that becomes a session, an entry hand-over.

    `binding` is the SHA-256 of what the same browser must show together with the code.
    """

    __tablename__ = "one_time_code"

    code_hash: str = Field(primary_key=True, max_length=64)
    purpose: str = Field(max_length=20)
    user_id: str = Field(foreign_key="user.id", index=True)
    session_id: str | None = Field(default=None, max_length=32)
    environment_id: str | None = Field(default=None, max_length=32)
    binding: str | None = Field(default=None, max_length=64)
    expires_at: datetime = Field(sa_type=UtcDateTime, index=True)
    used_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class LoginAttempt(SQLModel, table=True):
    """A login that is under way at a provider. Spent once, by the browser that began it, within ten minutes.

    `user_id` is set where a person links a further login to the account.
    """

    __tablename__ = "login_attempt"

    state_hash: str = Field(primary_key=True, max_length=64)
    provider: str = Field(max_length=30)
    nonce: str = Field(max_length=64)
    verifier: str = Field(max_length=128)
    onward: str = Field(max_length=2000)
    binding: str = Field(max_length=64)
    user_id: str | None = Field(default=None, max_length=32)
    session_id: str | None = Field(default=None, max_length=32)
    expires_at: datetime = Field(sa_type=UtcDateTime, index=True)


class LogoutSeen(SQLModel, table=True):
    """A logout token of a provider that was obeyed: one sent again changes nothing."""

    __tablename__ = "logout_seen"

    token_hash: str = Field(primary_key=True, max_length=64)
    expires_at: datetime = Field(sa_type=UtcDateTime, index=True)


class ApiToken(SQLModel, table=True):
    """A program's way in, on behalf of a person. Its value is shown once and stored as SHA-256 only."""

    __tablename__ = "api_token"

    id: str = Field(default_factory=new_id, primary_key=True)
    user_id: str = Field(foreign_key="user.id", index=True)
    name: str = Field(max_length=100)
    token_hash: str = Field(unique=True, max_length=64)
    scopes: list[str] = Field(default_factory=list, sa_type=JSON)
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)
    last_used_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    revoked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class LoginFailure(SQLModel, table=True):
    """A wrong password for a name, which need not exist. Counted for an hour, and then swept out."""

    __tablename__ = "login_failure"
    __table_args__ = (Index("ix_login_failure_name_hash_at", "name_hash", "at"),)

    id: str = Field(default_factory=new_id, primary_key=True)
    name_hash: str = Field(max_length=64)
    at: datetime = Field(default_factory=now, sa_type=UtcDateTime)

"""Rows of routing: signing keys, the cookies of environments' hosts, and revocations under way."""

from datetime import datetime

from sqlalchemy import JSON, UniqueConstraint
from sqlmodel import Field, SQLModel

from hub.clock import new_id, now
from hub.database import UtcDateTime


class SigningKey(SQLModel, table=True):
    """A key that signs assertions, shared by all replicas. The private half is sealed with SECRET_KEY."""

    __tablename__ = "signing_key"

    id: str = Field(primary_key=True, max_length=64)
    """The `kid`."""
    sealed_private: str = Field(max_length=2000)
    public: dict[str, str] = Field(sa_type=JSON)
    """The public half as a JWK."""
    endorsement: str | None = Field(default=None, max_length=2000)
    """A JWT in which the predecessor vouches for this key; None for the first one."""
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)


class Entry(SQLModel, table=True):
    """A browser's cookie on an environment's own host. It ends with the hub session that it came from."""

    id: str = Field(default_factory=new_id, primary_key=True)
    token_hash: str = Field(unique=True, max_length=64)
    session_id: str = Field(foreign_key="session.id", index=True)
    environment_id: str = Field(foreign_key="environment.id", index=True)
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)


class Revocation(SQLModel, table=True):
    """An ended session that one run of an environment must still hear of (a row until it has)."""

    __table_args__ = (UniqueConstraint("session_id", "start_id"),)

    id: str = Field(default_factory=new_id, primary_key=True)
    session_id: str = Field(foreign_key="session.id", index=True)
    start_id: str = Field(foreign_key="start.id", index=True)
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)

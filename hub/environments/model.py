"""Rows of environments: what is wanted (`target`), what is (`phase`), and each run (`Start`)."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, BigInteger, Column, Index, text
from sqlmodel import Field, SQLModel

from hub.clock import new_id, now
from hub.database import UtcDateTime, stored_as_value


class Target(StrEnum):
    """What its owner, or an administrator, wants."""

    RUNNING = "running"
    STOPPED = "stopped"
    DELETED = "deleted"


class Phase(StrEnum):
    """What is, as far as Podium knows. A silent cluster changes no phase: unknown is not dead."""

    STOPPED = "stopped"
    QUEUED = "queued"
    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    FAILED = "failed"


LIVE = (Phase.QUEUED, Phase.STARTING, Phase.RUNNING, Phase.STOPPING)
"""The phases that hold a workspace and count towards `MAX_USER_PODS` (stopping: the workspace only)."""

_live = text("phase IN ('queued', 'starting', 'running', 'stopping')")


class Environment(SQLModel, table=True):
    """One named environment of one person. The row stays for ever, so that its slug is never reused.

    CPU in cores, memory and storage in bytes; limits are the preset's numbers, requests are what
    the machine sets aside.
    """

    __table_args__ = (
        Index(
            "one_live_environment_for_each_workspace",
            "workspace_id",
            unique=True,
            sqlite_where=_live,
            postgresql_where=_live,
        ),
        Index("environments_with_work", "target", "phase"),
    )

    id: str = Field(default_factory=new_id, primary_key=True)
    slug: str = Field(unique=True, max_length=40)
    owner_id: str = Field(foreign_key="user.id", index=True)
    project: str | None = Field(default=None, max_length=100)
    name: str = Field(max_length=100)
    profile: str = Field(max_length=60)
    image: str = Field(max_length=500)
    """The image on Kubernetes; on one machine the interpreter's path."""
    cpu_limit: float
    cpu_request: float
    memory_limit: int = Field(sa_type=BigInteger)
    memory_request: int = Field(sa_type=BigInteger)
    storage: int = Field(sa_type=BigInteger)
    placement: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False, server_default="{}"))
    """A stored `hub.spawners.placement.Placement`."""
    workspace_id: str = Field(foreign_key="workspace.id", index=True)
    cluster_id: str = Field(foreign_key="cluster.id")
    target: Target = Field(default=Target.STOPPED, sa_type=stored_as_value(Target))
    phase: Phase = Field(default=Phase.STOPPED, sa_type=stored_as_value(Phase))
    phase_since: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    reason: str | None = Field(default=None, max_length=2000)
    """Why it failed or was stopped, in plain words that say what to do."""
    generation: int = 0
    """Counts the runs; a Start belongs to one generation."""
    start_id: str | None = Field(default=None, max_length=32)
    """The present or last Start."""
    restarts: int = 0
    """How often the controller has restarted it since the person last launched it."""
    retry_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    queued_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    delete_workspace: bool = False
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    deleted_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Start(SQLModel, table=True):
    """One run of an environment. Assertions, logs and usage refer to it, and so do object names."""

    id: str = Field(default_factory=new_id, primary_key=True)
    environment_id: str = Field(foreign_key="environment.id", index=True)
    generation: int
    image: str = Field(max_length=500)
    key_id: str = Field(max_length=64)
    """The newest signing key that this run is known to accept (see `hub.routing.assertion`)."""
    checkpoints: list[dict[str, str]] = Field(default_factory=list, sa_type=JSON)
    """Reached checkpoints in order: `name`, `at` (ISO 8601, UTC), `detail`."""
    upstream: str | None = Field(default=None, max_length=300)
    """Where a proxy reaches it: `unix:/path` or `address:port`. None before it is ready."""
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    ready_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    ended_why: str | None = Field(default=None, max_length=60)
    exit_code: int | None = None
    peak_memory: int | None = Field(default=None, sa_type=BigInteger)
    """Bytes."""


class LaunchKey(SQLModel, table=True):
    """A launch that a program may send twice: the key that it chose, what it asked for, and what came of it."""

    __tablename__ = "launch_key"

    user_id: str = Field(foreign_key="user.id", primary_key=True)
    key_hash: str = Field(primary_key=True, max_length=64)
    order_hash: str = Field(max_length=64)
    environment_id: str = Field(foreign_key="environment.id", max_length=32)
    expires_at: datetime = Field(sa_type=UtcDateTime, index=True)

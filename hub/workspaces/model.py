"""The row of a workspace: the folder or volume with somebody's files, which outlives environments."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, Index, text
from sqlmodel import Field, SQLModel

from hub.clock import new_id, now
from hub.database import UtcDateTime, stored_as_value


class WorkspaceState(StrEnum):
    PRESENT = "present"
    DELETING = "deleting"
    DELETED = "deleted"


TO_DELETE = text("state = 'deleting'")
TO_MEASURE = text("state = 'present' AND last_used_at IS NOT NULL AND (size_at IS NULL OR size_at < last_used_at)")
"""Used since it was measured. Both are looked for every two seconds, and few of many have them: an index holds those alone."""


class Workspace(SQLModel, table=True):
    """Folders and volumes are named after `id` (128 random bits), never after a person or a name."""

    __table_args__ = (
        Index("workspaces_to_delete", "id", sqlite_where=TO_DELETE, postgresql_where=TO_DELETE),
        Index("workspaces_to_measure", "cluster_id", sqlite_where=TO_MEASURE, postgresql_where=TO_MEASURE),
    )

    id: str = Field(default_factory=new_id, primary_key=True)
    owner_id: str = Field(foreign_key="user.id", index=True)
    name: str = Field(max_length=100)
    project: str | None = Field(default=None, max_length=100)
    cluster_id: str = Field(foreign_key="cluster.id")
    state: WorkspaceState = Field(default=WorkspaceState.PRESENT, sa_type=stored_as_value(WorkspaceState))
    size: int | None = Field(default=None, sa_type=BigInteger)
    """Bytes in use when last measured, or None where it was not measured yet."""
    capacity: int | None = Field(default=None, sa_type=BigInteger)
    """Bytes that its volume holds at most, when last measured; None where it has no end of its own."""
    size_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    last_used_at: datetime | None = Field(default=None, sa_type=UtcDateTime)

"""The row of a cluster: a place where environments run. `local`, this machine, is always the first."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from hub.clock import now
from hub.database import UtcDateTime

LOCAL = "local"


class Cluster(SQLModel, table=True):
    """`credential_hash` is the SHA-256 of what this cluster's proxy shows to `/routing/authorize`."""

    id: str = Field(primary_key=True, max_length=32)
    kind: str = Field(max_length=20)
    environments_domain: str = Field(max_length=253)
    credential_hash: str = Field(max_length=64)
    silent_since: datetime | None = Field(default=None, sa_type=UtcDateTime)
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)

"""The row of an event: who did what to what, when and from where. Events are written in the act's transaction.

The database itself refuses to change or to remove one (triggers of the second migration).
"""

from datetime import datetime

from sqlalchemy import JSON
from sqlmodel import Field, SQLModel

from hub.clock import new_id, now
from hub.database import UtcDateTime


class Event(SQLModel, table=True):
    """`actor_id` is None where Podium itself acted (a controller). `subject_id` is any row's id."""

    id: str = Field(default_factory=new_id, primary_key=True)
    at: datetime = Field(default_factory=now, sa_type=UtcDateTime, index=True)
    actor_id: str | None = Field(default=None, max_length=32, index=True)
    act: str = Field(max_length=60)
    subject_id: str = Field(max_length=32, index=True)
    detail: dict[str, str] = Field(default_factory=dict, sa_type=JSON)
    address: str = Field(default="", max_length=64)
    """Where the act came from; empty where Podium acted, or the operator at the machine."""

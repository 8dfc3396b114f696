"""Which hub replica runs the controllers: the one that holds the lease in the database."""

from datetime import datetime, timedelta

from sqlalchemy import update
from sqlmodel import Field, SQLModel, col

from hub.clock import now
from hub.database import Database, UtcDateTime
from hub.errors import Conflict

LEASE = timedelta(seconds=10)


class Lease(SQLModel, table=True):
    """One row for each thing that only one replica may do at a time."""

    name: str = Field(primary_key=True, max_length=60)
    holder: str = Field(max_length=64)
    until: datetime = Field(sa_type=UtcDateTime)


def hold(database: Database, name: str, holder: str) -> bool:
    """Take or renew the lease for `LEASE`; False while another replica holds it."""
    try:
        return _taken(database, name, holder)
    except Conflict:
        return False  # another replica wrote the row for the first time in the same moment


def _taken(database: Database, name: str, holder: str) -> bool:
    moment = now()
    with database.writing("lease") as session:
        if session.get(Lease, name) is None:
            session.add(Lease(name=name, holder=holder, until=moment + LEASE))
            return True
        taken = session.execute(
            update(Lease)
            .where(col(Lease.name) == name, (col(Lease.holder) == holder) | (col(Lease.until) < moment))
            .values(holder=holder, until=moment + LEASE)
        )
        return bool(taken.rowcount)  # type: ignore[attr-defined]

"""Which hub replica runs the controllers: the one that holds the lease in the database."""

import logging
import platform
from datetime import datetime, timedelta
from time import monotonic

from sqlalchemy import update
from sqlmodel import Field, SQLModel, col

from hub.clock import new_id, now
from hub.database import Database, UtcDateTime
from hub.errors import Conflict

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=10)


class Lease(SQLModel, table=True):
    """One row for each thing that only one replica may do at a time."""

    name: str = Field(primary_key=True, max_length=60)
    holder: str = Field(max_length=64)
    until: datetime = Field(sa_type=UtcDateTime)


class Leadership:
    """One replica's hold of a lease, renewed three times before it would run out.

    SQLite's data folder admits one hub only, so there the next hub takes the lease over at once.
    """

    def __init__(self, database: Database, name: str) -> None:
        self._database, self._name = database, name
        self._holder = "embedded" if database.is_sqlite else f"{platform.node()[:40]} {new_id()[:12]}"
        self._renew_at = self._until = 0.0
        """On the monotonic clock."""

    @property
    def held(self) -> bool:
        """Whether this replica held it when it last looked, and nobody else can have it yet."""
        return monotonic() < self._until

    def hold(self) -> bool:
        """Whether this replica holds it now. Raises `DatabaseSilent`."""
        if monotonic() < self._renew_at:
            return True
        if not hold(self._database, self._name, self._holder):
            return False
        if not self._renew_at:
            log.info("%s leads", self._holder)
        self._renew_at = monotonic() + LEASE.total_seconds() / 3
        self._until = monotonic() + LEASE.total_seconds() * 0.9
        return True


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

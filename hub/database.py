"""The database: SQLite embedded, PostgreSQL in production, one way to read and one to write.

On SQLite every writing transaction begins with `BEGIN IMMEDIATE`: the default deferred one, which
reads first and writes later, fails under load however long the busy timeout is. Writers therefore
queue for the file's one write lock, and readers never wait (WAL).
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from threading import RLock
from typing import Any

from sqlalchemy import ColumnElement, Connection, DateTime, Dialect, Engine, Enum, event, or_
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.types import TypeDecorator
from sqlmodel import Session, col, create_engine

from hub.errors import Conflict, DatabaseSilent
from hub.seam import crossing

LONGEST_SEARCH = 200
"""Characters of a text that is looked for; the rest is ignored."""
BUSY_SECONDS = 5
"""How long a writer waits for SQLite's write lock, and a PostgreSQL statement for its locks."""
KEPT_CONNECTIONS = 10
FURTHER_CONNECTIONS = 20
"""One hub holds so many of PostgreSQL's connections, and so many more while many requests come at once; others wait."""
_LOST_HOST = {"keepalives_idle": 10, "keepalives_interval": 3, "keepalives_count": 3, "tcp_user_timeout": 10_000}
"""After ten seconds a host that has gone without a word counts as gone; TCP by itself waits a quarter of an hour."""


class UtcDateTime(TypeDecorator[datetime]):
    """Aware UTC in and out. SQLite would give naive times back even from a timezone-aware column."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's signature
        if value is not None and value.tzinfo is None:
            raise ValueError("a time without a zone cannot be stored")
        return value.astimezone(UTC) if value else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's signature
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def stored_as_value(kind: type[StrEnum]) -> Any:
    """The column type for an enum: its value as plain text, so that a new member needs no migration."""
    return Enum(
        kind, native_enum=False, create_constraint=False, length=20, values_callable=lambda members: [m.value for m in members]
    )


class Database:
    """One engine and its two kinds of transaction. Safe to share between threads."""

    def __init__(self, url: str) -> None:
        self.engine = _engine(url)
        self._writers = RLock()
        self._writer = self.engine.execution_options(podium_writes=True)

    @property
    def is_sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A transaction that only reads. Raises `DatabaseSilent`."""
        with _translated(), Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def writing(self, what: str) -> Iterator[Session]:
        """A transaction that is committed at the end of the block, or not at all.

        `what` names the crossing of the seam. Rows stay readable after the block. Raises
        `DatabaseSilent`, and `Conflict` where a constraint of the schema refuses.
        """
        with self._turn(), _translated(), Session(self._writer, expire_on_commit=False) as session:
            yield session
            with crossing(f"commit {what}"):
                session.commit()

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """SQLite's writers of this process come one after the other; its own way of waiting is to sleep and look again."""
        if not self.is_sqlite:
            yield
            return
        if not self._writers.acquire(timeout=BUSY_SECONDS):
            raise DatabaseSilent
        try:
            yield
        finally:
            self._writers.release()

    def close(self) -> None:
        self.engine.dispose()


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except IntegrityError as error:
        raise Conflict("Somebody changed the same thing a moment ago. Look at the page again, then retry.") from error
    except (OperationalError, DBAPIError) as error:
        raise DatabaseSilent from error


def _engine(url: str) -> Engine:
    if not url.startswith("sqlite"):
        return create_engine(
            url,
            pool_pre_ping=True,
            pool_size=KEPT_CONNECTIONS,
            max_overflow=FURTHER_CONNECTIONS,
            connect_args={
                "connect_timeout": BUSY_SECONDS,
                "options": f"-c statement_timeout={BUSY_SECONDS * 1000}",
                **_LOST_HOST,
            },
        )
    engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS}, pool_size=10, max_overflow=40)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("podium_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def holding(text: str, *fields: object) -> ColumnElement[bool]:
    """The condition that one of the fields holds the text, in any case; its `%` and `_` are letters."""
    return or_(*(col(field).icontains(text[:LONGEST_SEARCH], autoescape=True) for field in fields))

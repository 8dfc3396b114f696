"""Runs the revisions: after a backup on SQLite, in turns on PostgreSQL, in one transaction on both."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from hub import SCHEMA
from hub.clock import now
from hub.database import Database
from hub.schema import SchemaInfo
from hub.seam import crossing

_ADVISORY_LOCK = 0x506F6469756D
"""An arbitrary number that only Podium's migrations use ("Podium" in ASCII)."""
_FOR_A_TABLE = "SET LOCAL lock_timeout = '5s'"
"""Whoever waits for a table keeps everybody else from it (docs/decisions/0015)."""

READABLE_BY = 1
"""The oldest `hub.SCHEMA` that can read what this version's revisions leave behind."""


def upgrade(database: Database, backups: Path) -> bool:
    """True where a revision was run; False where another hub was faster."""
    if _current(database) == _head():
        return False
    if database.is_sqlite:
        _back_up(database, backups)
    with _locked(database) as connection:
        _upgrade(connection)
    return True


def _current(database: Database) -> str | None:
    with database.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def _head() -> str | None:
    return ScriptDirectory.from_config(_config()).get_current_head()


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


@contextmanager
def _locked(database: Database) -> Iterator[Connection]:
    """A transaction that no other migration shares, committed at the end; on SQLite its write lock is enough."""
    with database.engine.execution_options(podium_writes=True).connect() as connection:
        connection.execute(text("SELECT 1"))  # begins the transaction
        if not database.is_sqlite:
            connection.execute(text("SET LOCAL lock_timeout = '60s'"))
            connection.execute(text("SET LOCAL statement_timeout = '10min'"))
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
            connection.execute(text(_FOR_A_TABLE))
        yield connection
        with crossing("commit migration"):
            connection.commit()


def _upgrade(connection: Connection) -> None:
    command.upgrade(_config(connection), "head")
    table = SchemaInfo.__table__  # type: ignore[attr-defined]
    connection.execute(table.delete())
    connection.execute(table.insert().values(id=1, number=SCHEMA, readable_by=READABLE_BY))


def _back_up(database: Database, backups: Path) -> None:
    """A consistent copy by SQLite's own backup; nothing to copy before the first start."""
    source = Path(str(database.engine.url.database))
    if not source.exists() or source.stat().st_size == 0 or _current(database) is None:
        return
    backups.mkdir(mode=0o700, exist_ok=True)
    target = backups / f"podium-{now():%Y%m%dT%H%M%S}.db"
    with crossing("write backup"), closing(sqlite3.connect(source)) as from_, closing(sqlite3.connect(target)) as to:
        from_.backup(to)
    _keep_newest(backups, timedelta(days=90))


def _keep_newest(backups: Path, age: timedelta) -> None:
    """Backups older than `age` go, the newest three stay in any case."""
    oldest = (now() - age).timestamp()
    for path in sorted(backups.glob("podium-*.db"))[:-3]:
        if path.stat().st_mtime < oldest:
            path.unlink()

"""Brings the database to this version's schema: backed up, under a lock, and never by surprise.

SQLite is copied before a change (`<data>/backups/`). PostgreSQL replicas that start at once take
turns by an advisory lock. A schema that a newer version has made is left alone while its
`readable_by` includes this code; one that excludes it is refused. Every command passes here, so
what takes long to load (`hub.migrations.upgrade`, with Alembic) is loaded only where something is to do.
"""

from pathlib import Path

from sqlalchemy import inspect, text
from sqlalchemy.exc import DBAPIError

from hub import SCHEMA
from hub.database import Database
from hub.errors import CannotStart


def migrate(database: Database, backups: Path) -> bool:
    """Migrate where something is to do; True if so. Raises `CannotStart`."""
    try:
        if _needs_nothing(database):
            return False
        from hub.migrations.upgrade import upgrade  # noqa: PLC0415 (see above)

        return upgrade(database, backups)
    except DBAPIError as error:
        raise CannotStart(f"The database cannot be used: {_first_line(error)}. Nothing was changed.") from error


def _needs_nothing(database: Database) -> bool:
    """Whether the schema is this version's, or a newer one that this version can read. Each revision has its own number."""
    with database.engine.connect() as connection:
        tables = inspect(connection).get_table_names()
        if "schema_info" not in tables:
            if "user" in tables or "alembic_version" in tables:
                raise CannotStart("The database holds tables that are not Podium's. Name an empty one in DATABASE_URL.")
            return False
        row = connection.execute(text("SELECT number, readable_by FROM schema_info")).one_or_none()
    if row and row.readable_by > SCHEMA:
        raise CannotStart(
            f"The database has schema {row.number}, which this version (schema {SCHEMA}) cannot read. "
            "Start the newer version of Podium, or restore the backup that it made before it migrated."
        )
    return row is not None and bool(row.number >= SCHEMA)


def _first_line(error: DBAPIError) -> str:
    return str(error.orig).splitlines()[0].rstrip(".")

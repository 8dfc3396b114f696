"""Databases for tests: every test that asks for `database` runs on SQLite and on PostgreSQL.

The schema is made once for each kind by Podium's own migration and then copied, which takes a few milliseconds.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hub.database import Database
from hub.migrate import migrate
from tests.support import leaks, postgresql
from tests.support.ci import absent

KINDS = ("sqlite", "postgresql")


@contextmanager
def serving() -> Iterator[postgresql.Server]:
    """A PostgreSQL server. Where it is not installed the test is skipped, in CI it fails."""
    bin_folder = postgresql.programs()
    if bin_folder is None:
        absent(postgresql.MISSING)
    with postgresql.running(bin_folder) as server:
        leaks.keep(server.process.pid)
        yield server


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[postgresql.Server]:
    """One for each test process."""
    with serving() as server:
        yield server


@pytest.fixture(params=KINDS)
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database without any table, once for each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'podium.db'}"
        return
    server: postgresql.Server = request.getfixturevalue("postgresql_server")
    name = server.create()
    yield server.url(name)
    server.drop(name)


@pytest.fixture(params=KINDS)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database with this version's schema, once for each kind: for tests that start a hub."""
    if request.param == "sqlite":
        path = tmp_path / "podium.db"
        shutil.copyfile(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    server: postgresql.Server = request.getfixturevalue("postgresql_server")
    name = server.create(request.getfixturevalue("_postgresql_template"))
    yield server.url(name)
    server.drop(name)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A migrated database of its own, once for each kind."""
    database = Database(database_url)
    yield database
    database.close()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "podium.db"
    _migrated(f"sqlite:///{path}", path.parent)
    return path


@pytest.fixture(scope="session")
def _postgresql_template(postgresql_server: postgresql.Server, tmp_path_factory: pytest.TempPathFactory) -> str:
    name = postgresql_server.create()
    _migrated(postgresql_server.url(name), tmp_path_factory.mktemp("template"))
    return name


def _migrated(url: str, backups: Path) -> None:
    database = Database(url)
    try:
        migrate(database, backups)
    finally:
        database.close()

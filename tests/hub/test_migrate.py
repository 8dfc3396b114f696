"""The schema is brought up once, under a lock, with a backup, and never over one that excludes this code."""

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text
from sqlmodel import SQLModel

import hub.migrate
from hub.database import Database
from hub.errors import CannotStart
from hub.migrate import migrate
from hub.migrations import upgrade
from hub.schema import TABLES
from hub.settings import ROOT
from tests.support import postgresql


@pytest.mark.case("B5")
def test_the_revisions_make_exactly_the_tables_of_the_models(database: Database) -> None:
    with database.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), SQLModel.metadata) == []
        assert {table.__tablename__ for table in TABLES} <= set(SQLModel.metadata.tables)


def test_every_revision_has_the_schema_s_number() -> None:
    """By which a hub sees without Alembic that there is nothing to do."""
    revisions = Path(hub.migrate.__file__).parent / "migrations" / "versions"
    assert max(path.name[:4] for path in revisions.glob("0*.py")) == f"{hub.SCHEMA:04}"


@pytest.mark.case("R12")
def test_a_second_migration_does_nothing(database: Database, tmp_path: Path) -> None:
    assert migrate(database, tmp_path / "backups") is False
    assert not (tmp_path / "backups").exists()


@pytest.mark.case("R12")
@pytest.mark.filterwarnings("default")
def test_several_hubs_that_start_at_once_migrate_once(empty_database_url: str, tmp_path: Path) -> None:
    databases = [Database(empty_database_url) for _ in range(4)]
    outcomes: list[object] = []

    def run(database: Database) -> None:
        try:
            outcomes.append(migrate(database, tmp_path))
        except Exception as error:
            outcomes.append(error)
            raise

    threads = [threading.Thread(target=run, args=(database,)) for database in databases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for database in databases:
        database.close()
    assert all(isinstance(outcome, bool) for outcome in outcomes), outcomes
    assert outcomes.count(True) >= 1


@pytest.mark.case("R12")
@pytest.mark.parametrize(("readable_by", "refused"), [(hub.SCHEMA, False), (hub.SCHEMA + 1, True)])
def test_a_newer_schema_is_refused_only_where_it_excludes_this_code(
    database: Database,
    tmp_path: Path,
    readable_by: int,
    refused: bool,  # noqa: FBT001
) -> None:
    """Left alone as it is, its revisions included, of which this code knows nothing."""
    with database.engine.begin() as connection:
        connection.execute(
            text("UPDATE schema_info SET number = :number, readable_by = :by"), {"number": 99, "by": readable_by}
        )
        connection.execute(text("UPDATE alembic_version SET version_num = 'of a newer version'"))
    if refused:
        with pytest.raises(CannotStart, match=r"has schema 99, which this version .* cannot read. Start the newer version"):
            migrate(database, tmp_path)
    else:
        assert migrate(database, tmp_path) is False


def test_a_database_of_something_else_is_left_alone(empty_database_url: str, tmp_path: Path) -> None:
    database = Database(empty_database_url)
    with database.engine.begin() as connection:
        connection.execute(text('CREATE TABLE "user" (id INTEGER)'))
    with pytest.raises(CannotStart, match=r"holds tables that are not Podium's"):
        migrate(database, tmp_path)
    database.close()


def test_a_file_that_is_no_database_is_refused_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "podium.db").write_bytes(b"not a database at all, but long enough to look at" * 100)
    database = Database(f"sqlite:///{tmp_path / 'podium.db'}")
    with pytest.raises(CannotStart, match=r"The database cannot be used: .*Nothing was changed"):
        migrate(database, tmp_path / "backups")
    database.close()


def test_sqlite_is_backed_up_before_a_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = Database(f"sqlite:///{tmp_path / 'podium.db'}")
    migrate(database, tmp_path / "backups")
    assert not (tmp_path / "backups").exists()
    with database.engine.begin() as connection:
        connection.execute(text("UPDATE schema_info SET number = number - 1"))
    monkeypatch.setattr("hub.migrations.upgrade._head", lambda: "a newer revision")
    migrate(database, tmp_path / "backups")
    backup = Database(f"sqlite:///{next((tmp_path / 'backups').glob('podium-*.db'))}")
    assert migrate(backup, tmp_path / "none") is True
    backup.close()
    database.close()


KILLED = """
import os, signal, sys
from pathlib import Path
from sqlalchemy import event
from hub.database import Database
from hub.migrate import migrate

url, last, backups = sys.argv[1:]
database = Database(url)

def executed(_connection, _cursor, statement, *_):
    if last in statement:
        os.kill(os.getpid(), signal.SIGKILL)

event.listen(database.engine, "after_cursor_execute", executed)
migrate(database, Path(backups))
"""


@pytest.mark.case("R12")
@pytest.mark.case("B5")
@pytest.mark.parametrize("last", ["CREATE TABLE workspace", "CREATE TABLE api_token", "INSERT INTO schema_info"])
def test_a_migration_that_is_killed_behind_any_statement_leaves_nothing_and_comes_about_at_the_next_start(
    empty_database_url: str, tmp_path: Path, last: str
) -> None:
    command = [sys.executable, "-c", KILLED, empty_database_url, last, str(tmp_path)]
    assert subprocess.run(command, check=False, cwd=ROOT).returncode == -signal.SIGKILL
    database = Database(empty_database_url)
    assert inspect(database.engine).get_table_names() == []
    assert migrate(database, tmp_path) is True
    assert migrate(database, tmp_path) is False
    database.close()


@pytest.fixture
def before(postgresql_server: postgresql.Server) -> Iterator[str]:
    """The name of a database that the version before this one has made."""
    name = postgresql_server.create()
    database = Database(postgresql_server.url(name))
    head = ScriptDirectory.from_config(upgrade._config()).get_revision("head")
    with upgrade._locked(database) as connection:
        command.upgrade(upgrade._config(connection), str(head.down_revision))
        connection.execute(
            text("INSERT INTO schema_info (id, number, readable_by) VALUES (1, :number, 1)"), {"number": hub.SCHEMA - 1}
        )
    database.close()
    yield name
    postgresql_server.drop(name)


@pytest.mark.case("R12")
@pytest.mark.case("B5")
def test_a_migration_that_would_keep_everybody_waiting_gives_way_and_comes_about_at_the_next_start(
    before: str, postgresql_server: postgresql.Server, tmp_path: Path
) -> None:
    database = Database(postgresql_server.url(before))
    with postgresql_server.connection(before) as reader, reader.transaction():
        tables = ", ".join(f'"{table}"' for table in inspect(database.engine).get_table_names())
        reader.execute(f"LOCK TABLE {tables} IN ACCESS SHARE MODE")
        with pytest.raises(CannotStart, match=r"lock timeout.*Nothing was changed"):
            migrate(database, tmp_path)
    assert migrate(database, tmp_path) is True
    assert migrate(database, tmp_path) is False
    database.close()

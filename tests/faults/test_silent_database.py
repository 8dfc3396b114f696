"""The database is silent for a while: the hub goes on, environments notice nothing, and nothing is lost."""

import select
import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from hub.environments.model import Phase
from tests.faults.case import NAME, Case
from tests.faults.forge import Forge
from tests.faults.hubs import Declined
from tests.faults.installation import Installation, installed
from tests.faults.machine import Kind
from tests.support import leaks, postgresql
from tests.support.ci import absent

LOCKED_SECONDS = 3.0


def test_a_launch_waits_while_another_process_locks_sqlite(podium: Installation) -> None:
    user = podium.new_user()
    with closing(sqlite3.connect(podium.data / "podium.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        podium.hub.send({"act": "launch", "user": user, "on": NAME})
        assert not select.select([podium.hub], [], [], LOCKED_SECONDS)[0], "it did not wait"
        other.execute("ROLLBACK")
    assert podium.hub.answer()
    case = Case(podium)
    case.launch()
    case.run()


@pytest.fixture
def server() -> Iterator[postgresql.Server]:
    """A PostgreSQL of this test's own."""
    bin_folder = postgresql.programs()
    if bin_folder is None:
        absent(postgresql.MISSING)
    with postgresql.running(bin_folder) as server:
        yield server


@contextmanager
def stopped(server: postgresql.Server) -> Iterator[None]:
    """The server is down while the block runs, and another one goes on with its data until the test has ended."""
    server.process.send_signal(signal.SIGINT)
    server.process.wait(30)
    yield
    server.process = subprocess.Popen(
        server.process.args, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, user=postgresql._owner(), cwd=server.folder
    )
    leaks.keep(server.process.pid)
    postgresql._until_ready(server)


@pytest.mark.parametrize("phase", [Phase.RUNNING, Phase.STARTING])
def test_the_hub_goes_on_when_postgresql_is_stopped_and_started(
    hubs: Forge, tmp_path: Path, server: postgresql.Server, phase: Phase
) -> None:
    with installed(hubs, tmp_path, database_url=server.url(server.create())) as podium:
        case = Case(podium)
        case.launch()
        case.run()
        case.write()
        if phase is Phase.STARTING:
            case.hold()
            case.act("restart")
            case.until_reached("process started")
        before = (podium.hub.pid, podium.pid_of(Kind.SERVER))
        start = case.row.start_id
        try:
            with stopped(server):
                case.release()
                with pytest.raises(Declined, match="database does not answer"):
                    podium.command("stop", case.user, "whatever")
                assert (podium.hub.pid, podium.pid_of(Kind.SERVER)) == before
            case.run()
            case.settle()
            assert (podium.hub.pid, podium.pid_of(Kind.SERVER), case.row.start_id) == (*before, start)
            case.act("stop")
            case.until(Phase.STOPPED)
            case.settle()
        finally:
            server.process.send_signal(signal.SIGINT)
            server.process.wait(30)

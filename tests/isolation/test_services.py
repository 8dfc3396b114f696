"""What serves on the loopback asks who calls, since TCP is open to environments unless ENVIRONMENT_PORTS closes it."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.spawners.base import StartSpec
from tests.identity.conftest import Hub, served
from tests.isolation.machines import MACHINES, Machine
from tests.spawners.far_side import ready
from tests.spawners.local_side import LocalFarSide
from tests.support import postgresql
from tests.support.ci import absent

ASKS_FOR_A_PASSWORD, LETS_IN = "R 10", "R 0"
"""What PostgreSQL answers: the kind of message, and by which means (SASL, none) one shows who one is."""
GREET = """
import socket, struct
try:
    with socket.socket({family}) as server:
        server.settimeout(20)
        server.connect({address!r})
        words = b'user\\0podium\\0database\\0postgres\\0\\0'
        server.sendall(struct.pack('!II', len(words) + 8, 196608) + words)
        answer = server.recv(9)
        result = answer[:1].decode() + ' ' + str(struct.unpack('!I', answer[5:9])[0])
except OSError as error:
    result = 'refused: ' + str(error)
"""
GET = """
import urllib.error, urllib.request
try:
    asked = urllib.request.Request({url!r}, headers={{'Host': 'localhost:{port}'}})
    result = urllib.request.urlopen(asked, timeout=20).status
except urllib.error.HTTPError as error:
    result = error.code
"""

Running = tuple[LocalFarSide, StartSpec]


@pytest.fixture(scope="module", params=MACHINES, ids=lambda machine: machine.name)
def apart(request: pytest.FixtureRequest) -> Iterator[Running]:
    machine: Machine = request.param
    with machine.folder() as (folder, options):
        yield from running(LocalFarSide(folder / "data", lesser=machine.lesser, **options))


@pytest.fixture(scope="module")
def together(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    yield from running(LocalFarSide(tmp_path_factory.mktemp("together"), isolation="none"))


def running(far: LocalFarSide) -> Iterator[Running]:
    try:
        spec = far.spec()
        ready(far, spec)
        yield far, spec
    finally:
        far.close()


@pytest.fixture(scope="module")
def database() -> Iterator[postgresql.Server]:
    """One that trusts whoever reaches its socket, in a folder of its owner's, and asks who comes by TCP for a password."""
    programs = postgresql.programs()
    if programs is None:
        absent(postgresql.MISSING)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with postgresql.running(programs, "127.0.0.1", port) as server:
        (server.folder / "data" / "pg_hba.conf").write_text("local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n")
        with server.connection() as connection:
            connection.execute("SELECT pg_reload_conf()")
        yield server


@pytest.fixture(scope="module")
def hub(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    with served(
        tmp_path_factory.mktemp("hub"), sqlite_template, metrics_token="a token of more than sixteen characters"
    ) as one:
        yield one


def greeted(there: Running, family: str, address: object) -> str:
    far, spec = there
    return far.run(spec.start_id, GREET.format(family=f"socket.{family}", address=address))


def by_socket(there: Running, server: postgresql.Server) -> str:
    return greeted(there, "AF_UNIX", str(server.folder / f".s.PGSQL.{server.port}"))


@pytest.mark.case("A9-9")
def test_a_database_s_socket_is_out_of_reach(apart: Running, database: postgresql.Server) -> None:
    assert by_socket(apart, database).startswith("refused")


def test_without_confinement_it_lets_everybody_in(together: Running, database: postgresql.Server) -> None:
    assert by_socket(together, database) == LETS_IN


def test_by_tcp_the_database_asks_for_a_password(apart: Running, database: postgresql.Server) -> None:
    assert greeted(apart, "AF_INET", ("127.0.0.1", database.port)) == ASKS_FOR_A_PASSWORD


@pytest.mark.case("A6-8")
@pytest.mark.parametrize(
    ("path", "answer"), [("/health", 200), ("/metrics", 404), ("/api/v1/environments", 401), ("/routing/authorize", 404)]
)
def test_the_hub_tells_an_environment_nothing_without_a_token(apart: Running, hub: Hub, path: str, answer: int) -> None:
    far, spec = apart
    asked = GET.format(url=f"http://127.0.0.1:{hub.port}{path}", port=hub.port)
    assert far.run(spec.start_id, asked) == str(answer)

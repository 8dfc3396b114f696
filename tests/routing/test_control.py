"""Ended sessions and new keys reach the real shim of a running environment, and are repeated until they do."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlmodel import select
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, unix_connect

from hub.environments.model import Environment
from hub.identity.person import Person
from hub.routing import assertion, control
from hub.routing.model import Revocation
from hub.settings import Settings
from tests.routing.echo import Echo
from tests.routing.serving import listener, serving
from tests.routing.world import World


@pytest.fixture
def world(database_url: str) -> Iterator[World]:
    world = World.build(Settings.model_validate({"port": 8501}), database_url)
    yield world
    world.close()


@pytest.fixture
def folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="podium-c-"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def environment(world: World, folder: Path) -> Iterator[Environment]:
    """Alice's environment, running behind its shim."""
    environment = world.environment("calm-heron", "alice", f"unix:{folder / 's'}")
    with serving(world.guarded(Echo(), environment), listener(folder / "s")):
        yield environment


def _socket(world: World, environment: Environment, folder: Path, person: Person) -> ClientConnection:
    start = world.start(environment)
    token = assertion.make(world.keys, start.key_id, start.id, person).token
    return unix_connect(str(folder / "s"), "ws://environment/ws", additional_headers={assertion.HEADER: token})


def _waiting(world: World) -> list[Revocation]:
    with world.database.reading() as session:
        return list(session.exec(select(Revocation)).all())


@pytest.mark.case("A4-8")
@pytest.mark.case("A8-5")
def test_an_ended_session_closes_its_open_socket_and_no_other(world: World, environment: Environment, folder: Path) -> None:
    ending, staying = (world.login("alice")[1] for _ in range(2))
    with _socket(world, environment, folder, ending) as cut, _socket(world, environment, folder, staying) as kept:
        world.sessions.end(ending.session_id, "logout")
        assert len(_waiting(world)) == 1
        assert control.run_once(world.database, world.keys) == 1
        with pytest.raises(ConnectionClosed):
            cut.recv(timeout=10)
        kept.send("still here")
        assert kept.recv(timeout=10) == "still here"
    assert _waiting(world) == []
    assert control.run_once(world.database, world.keys) == 0


def test_a_revocation_waits_for_an_environment_that_does_not_answer(world: World, folder: Path) -> None:
    environment = world.environment("calm-heron", "alice", f"unix:{folder / 's'}")
    _, person = world.login("alice")
    world.sessions.end(person.session_id, "logout")
    assert control.run_once(world.database, world.keys) == 0
    assert len(_waiting(world)) == 1
    with serving(world.guarded(Echo(), environment), listener(folder / "s")):
        assert control.run_once(world.database, world.keys) == 1
    assert _waiting(world) == []


def test_an_answer_of_something_else_is_no_acknowledgement(world: World, folder: Path) -> None:
    world.environment("calm-heron", "alice", f"unix:{folder / 's'}")
    _, person = world.login("alice")
    world.sessions.end(person.session_id, "logout")
    with serving(Echo(), listener(folder / "s")):
        assert control.run_once(world.database, world.keys) == 0
    assert len(_waiting(world)) == 1


@pytest.mark.case("R21")
def test_a_rotation_reaches_running_environments_and_cuts_nobody(world: World, environment: Environment, folder: Path) -> None:
    _, person = world.login("alice")
    old = world.start(environment).key_id
    with _socket(world, environment, folder, person) as opened_before:
        newest = world.keys.rotate()
        assert world.start(environment).key_id == old
        assert control.run_once(world.database, world.keys) == 1
        assert world.start(environment).key_id == newest
        with _socket(world, environment, folder, person) as opened_after:
            for connection in (opened_before, opened_after):
                connection.send("hello")
                assert connection.recv(timeout=10) == "hello"


def test_ending_a_session_twice_writes_one_row_for_each_run(world: World, environment: Environment) -> None:
    _, person = world.login("alice")
    world.sessions.end(person.session_id, "logout")
    world.sessions.end_all(person.user_id, "disabled")
    rows = _waiting(world)
    assert [(row.session_id, row.start_id) for row in rows] == [(person.session_id, environment.start_id)]


def test_runs_of_other_people_are_told_nothing(world: World, environment: Environment) -> None:
    _, person = world.login("bob")
    world.sessions.end(person.session_id, "logout")
    assert _waiting(world) == []
    assert environment.slug == "calm-heron"

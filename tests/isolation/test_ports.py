"""Where ENVIRONMENT_PORTS is set, TCP of this machine is closed to environments but for ports of their own."""

import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.clock import new_id
from hub.errors import CannotStart, ClusterSilent
from hub.spawners.local.ports import EACH, PortRange, Ports, outward_of, ports_of
from tests.spawners.far_side import ended, ready, until
from tests.spawners.local_side import LocalFarSide

_FIRST, _EPHEMERAL = 20_000, 32_768
FIRST = _FIRST + os.getpid() % ((_EPHEMERAL - _FIRST) // (2 * EACH)) * 2 * EACH
"""Other tests of this machine that run at the same time have others. All lie below what the kernel gives to whoever calls."""
LISTEN = "import socket, sys; sys.modules['kept'] = socket.create_server(('127.0.0.1', {port})); result = 'listens'"
CONNECT = "import socket; socket.create_connection(('127.0.0.1', {port}), 5).close(); result = 'connected'"

AT_ONCE = "import socket; socket.socket().sendto(b'x', 0x20000000, ('127.0.0.1', {port})); result = 'connected'"
OTHERWISE = (
    "import socket; socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262).connect(('127.0.0.1', {port})); result = 'connected'"
)
"""Ways of which Landlock knows nothing: data in the first packet, and MPTCP."""


@pytest.fixture
def outward() -> Iterator[socket.socket]:
    """Somebody whom environments may call."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


@pytest.fixture
def far(tmp_path: Path, outward: socket.socket) -> Iterator[LocalFarSide]:
    ports = f"{FIRST}-{FIRST + 2 * EACH - 1}"
    one = LocalFarSide(tmp_path / "data", ports=ports, outward=str(outward.getsockname()[1]))
    yield one
    one.close()


def tried(far: LocalFarSide, start_id: str, code: str, port: int) -> str:
    attempt = code.format(port=port)
    return far.run(start_id, f"try:\n    {attempt}\nexcept OSError as error:\n    result = type(error).__name__")


def had_by(far: LocalFarSide, start_id: str) -> tuple[int, int]:
    first, last = far.run(start_id, "import os; result = os.environ['PORTS']").split("-")
    return int(first), int(last)


def test_an_environment_has_ports_of_its_own_and_reaches_nobody_else_s(far: LocalFarSide, outward: socket.socket) -> None:
    one, other = far.spec(), far.spec()
    for spec in (one, other):
        ready(far, spec)
    ports = [had_by(far, spec.start_id) for spec in (one, other)]
    assert sorted(ports) == [(FIRST, FIRST + EACH - 1), (FIRST + EACH, FIRST + 2 * EACH - 1)]
    mine, theirs = ports[0][0], ports[1][0]
    assert tried(far, one.start_id, LISTEN, mine) == "listens"
    assert tried(far, one.start_id, CONNECT, mine) == "connected"
    assert tried(far, other.start_id, CONNECT, mine) == "PermissionError"
    assert tried(far, one.start_id, LISTEN, theirs) == "PermissionError"
    assert tried(far, one.start_id, LISTEN, 0) == "PermissionError"
    assert tried(far, one.start_id, CONNECT, outward.getsockname()[1]) == "connected"
    with socket.create_server(("127.0.0.1", 0)) as database:
        for way in (CONNECT, AT_ONCE, OTHERWISE):
            assert tried(far, one.start_id, way, database.getsockname()[1]) == "PermissionError"
    said = until(lambda: found if "being tried" not in (found := far.spawner.isolation()) else "")
    assert "connect to no other but OUTWARD_PORTS" in said


def test_a_start_whose_order_cannot_be_written_holds_no_more_than_its_own() -> None:
    ports = Ports(PortRange(2000, 2000 + 2 * EACH - 1))
    assert {ports.take("one") for _ in range(5)} == {(2000, 2000 + EACH - 1)}
    assert ports.take("other") == (2000 + EACH, 2000 + 2 * EACH - 1)


def test_what_a_start_has_of_another_range_is_given_to_nobody_until_it_ends() -> None:
    ports = Ports(PortRange(2000, 2000 + 3 * EACH - 1))
    ports.keep("old", (2000 - EACH // 2, 2000 + EACH // 2 - 1))
    ports.keep("its neighbour", (2000 + EACH // 2, 2000 + EACH + EACH // 2 - 1))
    assert ports.take("new") == (2000 + 2 * EACH, 2000 + 3 * EACH - 1)
    ports.free("old")
    with pytest.raises(OSError, match="all of ENVIRONMENT_PORTS"):
        ports.take("next")
    ports.free("its neighbour")
    assert ports.take("next") == (2000, 2000 + EACH - 1)
    assert ports.take("another") == (2000 + EACH, 2000 + 2 * EACH - 1)


def test_ports_are_given_anew_when_their_start_has_ended_and_kept_by_the_next_agent(far: LocalFarSide) -> None:
    one, other, third = far.spec(), far.spec(), far.spec()
    for spec in (one, other):
        ready(far, spec)
    os.kill(far.agent(), signal.SIGKILL)
    with pytest.raises(ClusterSilent, match="all of ENVIRONMENT_PORTS are taken"):
        far.spawner.start(third)
    far.spawner.stop(one.start_id)
    ended(far, one.start_id)
    ready(far, third)


def test_what_an_ended_start_had_is_not_taken_from_who_has_it_now_when_the_next_agent_comes(far: LocalFarSide) -> None:
    running, other, past = (far.spec(start_id=start_id) for start_id in sorted(new_id() for _ in range(3)))
    ready(far, past)
    far.spawner.stop(past.start_id)
    ended(far, past.start_id)
    ready(far, running)
    os.kill(far.agent(), signal.SIGKILL)
    ready(far, other)
    assert had_by(far, running.start_id) != had_by(far, other.start_id)


@pytest.mark.parametrize("given", [True, False])
def test_the_level_with_ports_is_demanded(tmp_path: Path, *, given: bool) -> None:
    ports = f"{FIRST}-{FIRST + EACH}" if given else ""
    far = LocalFarSide(tmp_path / "data", ports=ports, isolation="landlock+ports")
    try:
        spec = far.spec()
        if given:
            ready(far, spec)
            return
        far.spawner.start(spec)
        exit_ = ended(far, spec.start_id).exit
        assert exit_
        assert "as its operator demands (ISOLATION=landlock+ports)" in exit_.detail
    finally:
        far.close()


@pytest.mark.parametrize("text", ["1", "80-90", "9000-8000", "2000-2003", "a-b", "1024-70000"])
def test_what_is_no_range_of_ports_is_refused(text: str) -> None:
    with pytest.raises(CannotStart, match="ENVIRONMENT_PORTS"):
        ports_of(text)


@pytest.mark.parametrize("text", ["http", "0", "70000", "80;443"])
def test_what_is_no_list_of_ports_is_refused(text: str) -> None:
    with pytest.raises(CannotStart, match="OUTWARD_PORTS"):
        outward_of(text)

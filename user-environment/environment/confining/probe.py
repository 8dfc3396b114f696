"""The server of an environment that only tries what environments must not be able to do, and prints what worked.

It is started as every environment is, once in the life of an agent, so that what Podium says of a machine was tried on it.
"""

import json
import os
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from environment.confining import landlock
from environment.confining.confinement import has_gpus
from environment.spec import ServerSpec

TARGETS = "PROBE_TARGETS"
"""The variable that says, as JSON, what to try it on: the fields of `Targets`."""


_MPTCP, _FAST_OPEN = 262, 0x20000000
_SETTING = Path("/proc/sys/kernel/core_pattern")
"""A program that the kernel starts as root: whoever may write there may do anything."""


@dataclass(frozen=True)
class Targets:
    """`pid` is the agent's, which listens on all sockets; `file` lies in its folder, `neighbour` in another workspace."""

    pid: int
    file: str
    neighbour: str
    socket: str
    abstract: str
    port: int


def serve(_spec: ServerSpec) -> None:
    targets = Targets(**json.loads(os.environ[TARGETS]))
    found = [name for name, act in _attempts(targets) if _works(act)]
    own_socket = _works(lambda: socket.socket(socket.AF_UNIX).close())
    told = {"abi": landlock.abi(), "holes": list(dict.fromkeys(found)), "unix_sockets": own_socket, "gpus": has_gpus()}
    sys.stdout.write(json.dumps(told | {"account": os.geteuid()}) + "\n")  # into its log, which the agent reads
    sys.stdout.flush()


def _attempts(targets: Targets) -> list[tuple[str, Callable[[], object]]]:
    proc = Path("/proc", str(targets.pid))
    return [
        ("files", Path(targets.file).read_bytes),
        ("files", Path(targets.neighbour).read_bytes),
        ("files", lambda: Path(targets.neighbour).write_text("")),
        ("permissions", lambda: _keep_permissions(Path(targets.file))),
        ("permissions", lambda: _keep_permissions(Path(targets.neighbour))),
        ("permissions", lambda: _keep_permissions(Path(sys.prefix))),
        ("permissions", lambda: _keep_permissions(Path(__file__))),
        ("settings", lambda: _SETTING.open("ab").close()),
        ("processes", (proc / "environ").read_bytes),
        ("processes", lambda: os.listdir(proc / "fd")),  # noqa: PTH208
        ("signals", lambda: os.kill(targets.pid, 0)),
        ("sockets", lambda: _connect(socket.AF_UNIX, targets.socket)),
        ("sockets", lambda: _connect(socket.AF_UNIX, f"\0{targets.abstract}")),
        ("loopback", lambda: _connect(socket.AF_INET, ("127.0.0.1", targets.port))),
        ("loopback", lambda: _connect(socket.AF_INET, ("127.0.0.1", targets.port), _MPTCP)),
        ("loopback", lambda: _send_at_once(("127.0.0.1", targets.port))),
    ]


def _keep_permissions(path: Path) -> None:
    """They are set to what they are: whoever may do that may set others."""
    path.chmod(path.stat().st_mode)


def _send_at_once(address: tuple[str, int]) -> None:
    """With data in the first packet: it connects without asking to."""
    with socket.socket() as one:
        one.settimeout(2)
        one.sendto(b"x", _FAST_OPEN, address)


def _connect(family: socket.AddressFamily, address: str | tuple[str, int], protocol: int = 0) -> None:
    with socket.socket(family, socket.SOCK_STREAM, protocol) as one:
        one.settimeout(2)
        one.connect(address)


def _works(act: Callable[[], object]) -> bool:
    try:
        act()
    except OSError:
        return False
    return True

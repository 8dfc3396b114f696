"""Makes hubs fast: a process without threads that has imported everything forks one for each start.

`python -m tests.faults.forge <descriptor>` takes one JSON message with one descriptor (the test's link to the new hub) for each
hub and answers with its process number. It ends when the other end is closed; the hubs it made go on.
"""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

ROOT = Path(__file__).resolve().parents[2]


class Forge:
    """The test's end. Safe to share between threads."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._lock = threading.Lock()

    def make(self, request: dict[str, Any]) -> tuple[int, socket.socket]:
        """A new hub: its process number and the link to it. The link reports its end as end of file."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs, self._lock:
            socket.send_fds(self._control, [json.dumps(request).encode()], [theirs.fileno()])
            return int(self._control.recv(64)), ours


@contextmanager
def forge() -> Iterator[Forge]:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.faults.forge", str(theirs.fileno())], cwd=ROOT, pass_fds=[theirs.fileno()]
    )
    theirs.close()
    with ours:
        yield Forge(ours)
    process.wait(10)


def main(control: socket.socket) -> None:
    from tests.faults.hub_program import become_hub  # noqa: PLC0415 - imports all of the hub, which only the forge is to do

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for hubs
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while True:
        message, descriptors, _, _ = socket.recv_fds(control, 65536, 1)
        if not message:
            return
        pid = os.fork()
        if pid == 0:
            control.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            _end_as(become_hub, json.loads(message), socket.socket(fileno=descriptors[0]))
        os.close(descriptors[0])
        with contextlib.suppress(BrokenPipeError):
            control.send(str(pid).encode())


def _end_as(become_hub: Any, request: dict[str, Any], link: socket.socket) -> NoReturn:
    """Never returns: nothing of the forge's must run in the hub."""
    code = 1
    try:
        code = become_hub(request, link)
    except BaseException:  # noqa: BLE001 - this is the end of the process: what it died of belongs in its log
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    main(socket.socket(fileno=int(sys.argv[1])))

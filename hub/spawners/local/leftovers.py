"""Ends what a killed supervisor has left behind. All of it is stopped first, so that none forks away."""

import contextlib
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from hub.seam import crossing
from hub.spawners.local.processes import start_time

_SWEEP_SECONDS = 5

Belongs = Callable[[int], bool]
"""Whether the process of that number is one of those to end."""


def end_all_of(account: int) -> int:
    """Kill every process of an account that one workspace has for itself; how many remain (0 but for what the kernel holds).

    It goes by the real account, which the kernel tells of every process: nothing that runs there can hide it or get rid of it.
    """
    return _end(partial(_is_of, account))


def end_marked(start_id: str, folder: Path) -> int:
    """The same for what shows that it is of that start, where others run under the same account.

    Shown by the variable START_ID that each program below a supervisor was given, or by the log that is printed to.
    """
    return _end(_Mark(f"START_ID={start_id}".encode(), str(folder / "log")).is_on)


def _end(belongs: Belongs) -> int:
    deadline = time.monotonic() + _SWEEP_SECONDS
    while pids := [pid for pid in _all() if belongs(pid)]:
        for number in (signal.SIGSTOP, signal.SIGKILL):
            for pid in pids:
                _send(pid, number, belongs)
        if time.monotonic() > deadline:
            break
        time.sleep(0.02)
    return len(pids)


def _all() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit() and int(name) != os.getpid()]  # noqa: PTH208 (quick)


def _is_of(account: int, pid: int) -> bool:
    """A process lives as long as one of its threads does, also where the first one has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(errors="replace")
        threads = os.listdir(f"/proc/{pid}/task")  # noqa: PTH208 (quick)
    except OSError:
        return False
    real = next(line.split()[1] for line in status.splitlines() if line.startswith("Uid:"))
    return int(real) == account and any(start_time(int(thread)) is not None for thread in threads)


@dataclass(frozen=True)
class _Mark:
    variable: bytes
    log: str

    def is_on(self, pid: int) -> bool:
        if start_time(pid) is None:
            return False
        try:
            if self.variable in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"):
                return True
            return self.log in (os.readlink(f"/proc/{pid}/fd/{name}") for name in (1, 2))  # noqa: PTH115 (quick)
        except OSError:
            return False


def _send(pid: int, number: signal.Signals, belongs: Belongs) -> None:
    """Looked at again once the pidfd is held: a number that was reused meanwhile gets no signal."""
    try:
        descriptor = os.pidfd_open(pid)
    except OSError:
        return
    try:
        if belongs(pid):
            with crossing(f"send {number.name}"), contextlib.suppress(OSError):
                signal.pidfd_send_signal(descriptor, number)
    finally:
        os.close(descriptor)

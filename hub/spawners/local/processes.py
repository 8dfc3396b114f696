"""Processes as the kernel names them for good: a number, a start time and the boot they belong to.

A number alone is reused. A pidfd stays with one process, becomes readable when it ends and is what
signals go through, so that none ever reaches a stranger.
"""

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from hub.seam import crossing

_TICKS, _PAGE = os.sysconf("SC_CLK_TCK"), os.sysconf("SC_PAGE_SIZE")
_MACHINE = "pid:[4026531836]"
"""The namespace of process numbers in which the kernel itself began: outside all containers."""


def is_this_boot(recorded: str) -> bool:
    """Whether that was written since the machine, or the container that this process is in, began.

    Podium 0.1 wrote the machine's alone; whether a process of it still is the same one its start time tells.
    """
    return recorded in {boot_id(), _machine_s_boot()}


def boot_id() -> str:
    """Another one after each start of the machine, or of the container that this process is in."""
    boot = _machine_s_boot()
    return boot if os.readlink("/proc/self/ns/pid") == _MACHINE else f"{boot}-{start_time(1)}"  # noqa: PTH115 (no path)


def _machine_s_boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def _stat(pid: int) -> list[str] | None:
    """The fields of /proc/<pid>/stat from the state on; None where there is no such process."""
    try:  # a process may give itself any name, of any bytes
        return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return None


def start_time(pid: int) -> int | None:
    """In clock ticks since boot; None for a process that is gone or only waits to be reaped."""
    fields = _stat(pid)
    return int(fields[19]) if fields and fields[0] not in "ZX" else None


class Process:
    """A running process that is not ours to wait for. `ended` is set when it is gone."""

    def __init__(self, pid: int, descriptor: int) -> None:
        self.pid, self._descriptor = pid, descriptor
        self.ended = asyncio.Event()
        asyncio.get_running_loop().add_reader(descriptor, self._has_ended)

    @classmethod
    def found(cls, pid: int, started: int | None = None) -> "Process | None":
        """The process of that number, and of that start time where one is given; None where it is another or none."""
        try:
            descriptor = os.pidfd_open(pid)
        except OSError:
            return None
        now = start_time(pid)
        if now is None or started not in (None, now):
            os.close(descriptor)
            return None
        return cls(pid, descriptor)

    def _has_ended(self) -> None:
        self.close()
        self.ended.set()

    def close(self) -> None:
        """Look no longer; the process is not touched."""
        if self._descriptor >= 0:
            asyncio.get_running_loop().remove_reader(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = -1

    def send(self, number: signal.Signals) -> None:
        """Nothing happens where the process has ended."""
        if self._descriptor >= 0:
            with crossing(f"send {number.name}"), contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._descriptor, number)


@dataclass(frozen=True)
class Sample:
    memory: int
    cpu_seconds: float
    processes: int


def sample(supervisor: int, first: int | None, memory: Callable[[list[int]], int]) -> Sample:
    """What all that a supervisor runs uses now: PSS in bytes, which `memory` adds up, CPU since the start, their number.

    `first`: Podium's own process in the environment's namespace of processes, where it has one.
    """
    pids = [pid for pid in descendants(supervisor) if pid != first]
    reaped = [_cpu_ticks(pid, own=False) for pid in (supervisor, first) if pid is not None]
    ticks = sum(_cpu_ticks(pid) for pid in pids) + sum(reaped)
    return Sample(memory(pids), ticks / _TICKS, len(pids))


def descendants(pid: int) -> Iterator[int]:
    """Orphans below a supervisor are its children again, so the walk misses none."""
    waiting = [pid]
    while waiting:
        children = list(_children(waiting.pop()))
        waiting += children
        yield from children


def _children(pid: int) -> Iterator[int]:
    for thread in _threads(pid):
        with contextlib.suppress(OSError):
            yield from map(int, Path(f"/proc/{pid}/task/{thread}/children").read_text().split())


def _threads(pid: int) -> Iterator[int]:
    with contextlib.suppress(OSError):
        yield from map(int, os.listdir(f"/proc/{pid}/task"))  # noqa: PTH208 (names are enough)


def _cpu_ticks(pid: int, *, own: bool = True) -> int:
    fields = _stat(pid)
    if fields is None:
        return 0
    return sum(int(field) for field in fields[11 if own else 13 : 15])


def memory_of(pids: Iterable[int]) -> int:
    """Bytes; what several share is divided among them (PSS). What this account may not look into counts for nothing."""
    return sum(_of_a_thread(pid) for pid in pids)


def _of_a_thread(pid: int) -> int:
    """As the first thread shows it; where that one has ended and shows nothing, another."""
    return _pss(pid) or next(filter(None, map(_pss, _threads(pid))), 0)


def _pss(pid: int) -> int:
    try:
        with Path(f"/proc/{pid}/smaps_rollup").open() as file:
            return next((int(line.split()[1]) * 1024 for line in file if line.startswith("Pss:")), 0)
    except PermissionError:
        return _resident(pid)  # a process may close itself to whoever looks: then all that it holds counts as its own
    except OSError:
        return 0


def _resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE
    except OSError:
        return 0

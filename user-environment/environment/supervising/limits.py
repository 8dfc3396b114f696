"""Holds an environment to its memory, its number of processes, and where the kernel can its CPU share.

Where the agent found a control group (version 2) to divide, the kernel holds all three. Elsewhere,
and where that group cannot be made, a watchdog looks, and the environment keeps to cores that the
order names.
"""

import contextlib
import os
import sys
from pathlib import Path
from typing import Protocol

from environment.supervising.breach import Breach, out_of_memory, too_many
from environment.supervising.watchdog import Watchdog

_PAUSE = 1.0
"""Seconds between two looks at what the kernel did."""
_CPU_PERIOD = 100_000
"""Microseconds in which the CPU share is counted, the kernel's usual ones."""


class Guard(Protocol):
    holds_cpu: bool
    """Else somebody has to keep them to cores."""
    peak: int | None
    """The most memory that was seen in use, in bytes."""
    pause: float
    """Seconds until `breach` should be asked again."""

    def enter(self) -> None:
        """Called in the server's process before it does anything."""

    def breach(self, pids: list[int]) -> Breach | None:
        """`pids` are all descendants of the supervisor."""

    def close(self) -> None:
        """All descendants have ended."""


def guard(memory: int, processes: int, cpu: float, group: Path | None, account: int | None = None) -> Guard:
    """The control group where there is one and it can be made, else the watchdog. `account`: whom the processes belong to."""
    if group is not None:
        try:
            return Group(group, memory, processes, cpu)
        except OSError as error:
            _tell(f"no control group could be made: a watchdog holds memory and processes ({error})")
    return Watchdog(memory, processes, account)


def _tell(what: str) -> None:
    """In the log, since it is not what the agent says of this machine."""
    print(f"[{what}]", file=sys.stderr, flush=True)  # noqa: T201


class Group:
    """A control group of version 2. The supervisor stays outside, so it survives what it records."""

    def __init__(self, path: Path, memory: int, processes: int, cpu: float) -> None:
        self.peak: int | None = None
        self.pause = _PAUSE
        self._path, self._memory, self._processes = path, memory, processes
        path.mkdir(exist_ok=True)
        try:
            self._write("memory.max", memory)
            self._write("memory.oom.group", 1)
            self._write("pids.max", processes)
        except OSError:
            self.close()
            raise
        self.holds_cpu = self._share(cpu)

    def _share(self, cpu: float) -> bool:
        try:
            self._write("cpu.max", f"{int(cpu * _CPU_PERIOD)} {_CPU_PERIOD}")
        except FileNotFoundError:  # the cpu controller was not handed down, as the agent says
            return False
        except OSError as error:
            _tell(f"its control group does not hold CPU ({error})")
            return False
        return True

    def enter(self) -> None:
        self._write("cgroup.procs", os.getpid())

    def breach(self, pids: list[int]) -> Breach | None:  # noqa: ARG002 (the kernel counts by itself)
        self._read_peak()
        if self._event("memory.events", "oom_kill"):
            return out_of_memory(self.peak or self._memory, self._memory)
        if self._event("pids.events", "max"):
            return too_many(self._processes)
        return None

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._path.rmdir()

    def _write(self, name: str, value: int | str) -> None:
        """Raises FileNotFoundError where the kernel has no such file there."""
        file = os.open(self._path / name, os.O_WRONLY | os.O_CLOEXEC)
        try:
            os.write(file, str(value).encode())
        finally:
            os.close(file)

    def _read_peak(self) -> None:
        for name in ("memory.peak", "memory.current"):
            with contextlib.suppress(OSError):
                self.peak = max(int((self._path / name).read_text()), self.peak or 0)

    def _event(self, name: str, event: str) -> bool:
        try:
            counts = dict(line.split() for line in (self._path / name).read_text().splitlines())
        except OSError:
            return False
        return counts.get(event, "0") != "0"

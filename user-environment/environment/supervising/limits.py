"""Holds an environment to its memory, its number of processes, and where the kernel can its CPU share.

Where the agent found a control group (version 2) to divide, the kernel holds all three. Elsewhere,
and where that group cannot be made, a watchdog adds up what the descendants hold, and they keep to
cores that the order names. Memory
that several share (all that the warm parent imported) must count once: that sum (PSS) costs
milliseconds, so the cheap sum (RSS), which is never lower, is looked at first and PSS only where
RSS is over the limit or higher than ever before.
`RLIMIT_AS` breaks DuckDB and pyarrow, and `RLIMIT_NPROC` counts for the whole account.
"""

import contextlib
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from environment.supervising.account import looking_as
from environment.supervising.processes import proportional, resident

_QUICK, _SLOW = 0.1, 1.0
_PSS_SHARE = 0.1
"""At most this part of the time goes into adding up PSS."""
_MIB = 1024 * 1024
_CPU_PERIOD = 100_000
"""Microseconds in which the CPU share is counted, the kernel's usual ones."""


@dataclass(frozen=True)
class Breach:
    """A limit that was passed; `why` is the ending's word in the hub's spawner interface."""

    why: str
    detail: str


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


class Watchdog:
    holds_cpu = False

    def __init__(self, memory: int, processes: int, account: int | None = None) -> None:
        self.peak: int | None = None
        self.pause = _QUICK
        self._memory, self._processes, self._account = memory, processes, account
        self._highest = 0
        self._not_before = 0.0

    def enter(self) -> None:
        """The watchdog looks from outside."""

    def breach(self, pids: list[int]) -> Breach | None:
        if len(pids) > self._processes:
            return too_many(self._processes)
        held = resident(pids)
        self._set_pause(held)
        if held > min(self._memory, self._highest + _MIB) and time.monotonic() >= self._not_before:
            return self._measure(pids, held)
        return None

    def close(self) -> None:
        """Nothing to take down."""

    def _set_pause(self, held: int) -> None:
        """Look often while memory grows or is near the limit, seldom at one that rests."""
        restless = held > self._highest + _MIB or held > self._memory // 2
        self.pause = _QUICK if restless else min(self.pause * 2, _SLOW)

    def _measure(self, pids: list[int], held: int) -> Breach | None:
        self._highest = max(held, self._highest)
        began = time.monotonic()
        with looking_as(self._account):
            used = proportional(pids)
        ended = time.monotonic()
        self._not_before = ended + (ended - began) / _PSS_SHARE
        self.peak = max(used, self.peak or 0)
        return out_of_memory(used, self._memory) if used > self._memory else None


class Group:
    """A control group of version 2. The supervisor stays outside, so it survives what it records."""

    def __init__(self, path: Path, memory: int, processes: int, cpu: float) -> None:
        self.peak: int | None = None
        self.pause = _SLOW
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


def out_of_memory(used: int, limit: int) -> Breach:
    return Breach("out_of_memory", f"It used {used // _MIB} MiB of memory; its limit is {limit // _MIB} MiB.")


def too_many(limit: int) -> Breach:
    return Breach("too_many_processes", f"It started more than {limit} processes.")

"""Holds an environment to its memory and its number of processes where no control group does, by looking.

Memory that several share (all that the warm parent imported) must count once: that sum (PSS) costs
milliseconds, so the cheap sum (RSS), which is never lower, is looked at first and PSS only where
RSS is over the limit or higher than ever before. Hundreds of processes that share much make it cost
seconds. Nobody gains time by that: a tenth of the time is for PSS as long as that means pauses of
seconds at most, and half of it where PSS may be over.
`RLIMIT_AS` breaks DuckDB and pyarrow, and `RLIMIT_NPROC` counts for the whole account.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from environment.supervising.account import looking_as
from environment.supervising.breach import Breach, out_of_memory, too_many
from environment.supervising.processes import proportional, resident

_QUICK, _SLOW = 0.1, 1.0
_PSS_SHARE = 0.1
"""This part of the time goes into adding up PSS, where nothing speaks for more."""
_LONGEST_WAIT = 2.0
"""Seconds without PSS, where it is not itself what takes longer: memory can be taken while the sum of RSS stays as it is."""
_MIB = 1024 * 1024


@dataclass(frozen=True)
class Measured:
    """When PSS was last known, the seconds that this took, and in bytes the sum of RSS before it and PSS itself."""

    at: float
    took: float
    held: int
    used: int


class Watchdog:
    holds_cpu = False

    def __init__(
        self,
        memory: int,
        processes: int,
        account: int | None = None,
        add_up: Callable[[list[int]], int] = proportional,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.peak: int | None = None
        self.pause = _QUICK
        self._memory, self._processes, self._account = memory, processes, account
        self._add_up, self._clock = add_up, clock
        self._highest = 0
        self._last: Measured | None = None

    def enter(self) -> None:
        """The watchdog looks from outside."""

    def breach(self, pids: list[int]) -> Breach | None:
        if len(pids) > self._processes:
            return too_many(self._processes)
        held = resident(pids)
        self._set_pause(held)
        if held > min(self._memory, self._highest + _MIB) and self._is_due(held):
            return self._measure(pids, held)
        return None

    def _is_due(self, held: int) -> bool:
        """At once where PSS may be over the limit, but for as long as adding it up took: then half of the time goes into it."""
        if self._last is None:
            return True
        may_be_over = self._last.used + held - self._last.held > self._memory
        took = self._last.took
        wait = took if may_be_over else min(took / _PSS_SHARE, max(_LONGEST_WAIT, took))
        return self._clock() >= self._last.at + wait

    def close(self) -> None:
        """Nothing to take down."""

    def _set_pause(self, held: int) -> None:
        """Look often while memory grows or is near the limit, seldom at one that rests."""
        restless = held > self._highest + _MIB or held > self._memory // 2
        self.pause = _QUICK if restless else min(self.pause * 2, _SLOW)

    def _measure(self, pids: list[int], held: int) -> Breach | None:
        self._highest = max(held, self._highest)
        began = self._clock()
        with looking_as(self._account):
            used = self._add_up(pids)
        ended = self._clock()
        self._last = Measured(ended, ended - began, held, used)
        self.peak = max(used, self.peak or 0)
        return out_of_memory(used, self._memory) if used > self._memory else None

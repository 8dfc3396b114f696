"""How soon a watchdog sees that too much memory is taken, and how much of its time that costs."""

import subprocess
import sys
from collections.abc import Iterator
from subprocess import PIPE

import pytest
from environment.supervising.processes import descendants, proportional
from environment.supervising.watchdog import Watchdog

from tests.spawners.far_side import MIB

LIMIT = 180 * MIB
SHARING = """
import mmap, os, sys
size = 100 * 2**20
shared = mmap.mmap(-1, size)
shared.write(bytes(size))
seen, see = os.pipe()
end, hold = os.pipe()
if os.fork() == 0:
    os.close(hold)
    shared[::4096]
    os.write(see, b".")
    os.read(end, 1)
    os._exit(0)
os.read(seen, 1)
print(flush=True)
for line in sys.stdin:
    if line == "change\\n": shared.close()
    own = b"x" * size
    print(flush=True)
"""
"""Two processes share 100 MiB. One comes to have as much of its own: beside it, or in place of its share."""


class Sharing:
    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._hear()
        self.pids = [process.pid, *descendants(process.pid)]

    def do(self, what: str) -> None:
        assert self._process.stdin
        print(what, file=self._process.stdin, flush=True)
        self._hear()

    def _hear(self) -> None:
        assert self._process.stdout
        assert self._process.stdout.readline()


@pytest.fixture(name="sharing")
def _sharing() -> Iterator[Sharing]:
    with subprocess.Popen([sys.executable, "-c", SHARING], stdin=PIPE, stdout=PIPE, text=True) as process:
        yield Sharing(process)


class Slow:
    """Memory that takes so many seconds to add up; beside that, time passes as a test says."""

    def __init__(self, seconds: float) -> None:
        self.now, self.spent, self._seconds = 0.0, 0.0, seconds

    def clock(self) -> float:
        return self.now

    def add_up(self, pids: list[int]) -> int:
        self.now += self._seconds
        self.spent += self._seconds
        return proportional(pids)


def watchdog(slow: Slow) -> Watchdog:
    return Watchdog(LIMIT, 64, add_up=slow.add_up, clock=slow.clock)


@pytest.mark.parametrize("seconds", [0.01, 0.3, 1, 5, 30])
@pytest.mark.parametrize("what", ["grow", "change"])
def test_nobody_gains_time_by_memory_that_is_slow_to_add_up(sharing: Sharing, seconds: float, what: str) -> None:
    """Neither where the cheap sum shows it, nor where that stays as it is."""
    slow = Slow(seconds)
    watch = watchdog(slow)
    assert watch.breach(sharing.pids) is None
    assert watch.peak
    sharing.do(what)
    slow.now += seconds if what == "grow" else max(2, seconds)
    breach = watch.breach(sharing.pids)
    assert breach
    assert breach.why == "out_of_memory"


@pytest.mark.parametrize(("seconds", "most"), [(0.01, 0.11), (0.1, 0.11), (0.2, 0.11), (1, 0.4), (5, 0.55)])
def test_an_environment_that_shares_much_and_rests_costs_a_part_of_the_time(
    sharing: Sharing, seconds: float, most: float
) -> None:
    """A tenth of it, where adding up takes a fifth of a second; never much more than half."""
    slow = Slow(seconds)
    watch = watchdog(slow)
    while slow.now < 100:
        assert watch.breach(sharing.pids) is None
        slow.now += watch.pause
    assert 0 < slow.spent / slow.now <= most

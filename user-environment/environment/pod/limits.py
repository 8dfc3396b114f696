"""What holds an environment to its limits in a pod: the container's control group, and a look at its processes.

The kernel ends what takes too much memory, but says so only by a counter, and it may take a child
and leave the server. A pod cannot be given a number of processes of its own (the kubelet's applies
to all pods of a node), so those are counted here.
"""

from pathlib import Path

from environment.supervising.breach import Breach, out_of_memory
from environment.supervising.watchdog import Watchdog

_COUNTERS = (
    Path("/sys/fs/cgroup/memory.events"),
    Path("/sys/fs/cgroup/memory/memory.oom_control"),
)
"""Where the kernel counts the processes that it ended for want of memory: version 2 of control groups, and 1."""


class Container(Watchdog):
    """`memory` in bytes is the container's own limit, `processes` how many there may be below the supervisor."""

    def __init__(self, memory: int, processes: int, counters: tuple[Path, ...] = _COUNTERS) -> None:
        super().__init__(memory, processes)
        self._limit = memory
        self._counters = counters

    def breach(self, pids: list[int]) -> Breach | None:
        if self._kernel_took_one():
            self.peak = max(self.peak or 0, self._limit)
            return out_of_memory(self.peak, self._limit)
        return super().breach(pids)

    def _kernel_took_one(self) -> bool:
        return any(_count(path) > 0 for path in self._counters)


def _count(path: Path) -> int:
    try:
        counts = dict(line.split() for line in path.read_text().splitlines())
    except (OSError, ValueError):
        return 0
    return int(counts.get("oom_kill", 0))

"""Descendants of this process and the memory they take, read from /proc with as little work as possible.

A supervisor does this several times a second beside every environment, so it reads a few small
files and imports next to nothing: what it touches is memory that it no longer shares with its siblings.
"""

import os
from collections.abc import Callable

from environment.confining.kernel import checked, libc

PAGE = os.sysconf("SC_PAGE_SIZE")

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_MACHINE = "pid:[4026531836]"
"""The namespace of process numbers in which the kernel itself began: outside all containers."""


def adopt_orphans() -> None:
    """From now on a descendant whose parent ends becomes this process's child."""
    checked(libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0))


def end_with_parent(number: int) -> None:
    """The kernel sends `number` to this process when its parent ends."""
    checked(libc.prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0))


def close_from(first: int) -> None:
    """What this process has open, from that descriptor on."""
    os.closerange(first, max(map(int, os.listdir("/proc/self/fd"))) + 1)  # noqa: PTH208 (names are enough)


def boot_id() -> str:
    """Another one after each start of the machine, or of the container that this process is in."""
    boot = read("/proc/sys/kernel/random/boot_id").strip()
    return boot if os.readlink("/proc/self/ns/pid") == _MACHINE else f"{boot}-{start_time(1)}"  # noqa: PTH115 (no path)


def start_time(pid: int) -> int:
    """In clock ticks since boot."""
    return int(read(f"/proc/{pid}/stat").rpartition(")")[2].split()[19])


def descendants(pid: int) -> list[int]:
    """All processes below `pid`, those included that only wait to be reaped."""
    found: list[int] = []
    waiting = [pid]
    while waiting:
        children = _children(waiting.pop())
        found += children
        waiting += children
    return found


def _children(pid: int) -> list[int]:
    return [child for thread in _threads(pid) for child in _children_of(pid, thread)]


def _threads(pid: int) -> list[int]:
    try:
        return list(map(int, os.listdir(f"/proc/{pid}/task")))  # noqa: PTH208 (quick)
    except OSError:
        return []


def _children_of(pid: int, thread: int) -> list[int]:
    """None where the thread has ended meanwhile: others have theirs all the same."""
    try:
        return [int(child) for child in read(f"/proc/{pid}/task/{thread}/children").split()]
    except OSError:
        return []


def resident(pids: list[int]) -> int:
    """Bytes in memory; what several share counts for each, so the truth is lower. Cheap."""
    return sum(_told(_resident, pid) for pid in pids)


def _told(measure: Callable[[int], int], pid: int) -> int:
    """By its first thread; where that one has ended and shows nothing, by another."""
    return measure(pid) or next(filter(None, map(measure, _threads(pid))), 0)


def _resident(pid: int) -> int:
    try:
        return int(read(f"/proc/{pid}/statm").split()[1]) * PAGE
    except OSError:
        return 0


def proportional(pids: list[int]) -> int:
    """Bytes in memory; what several share is divided among them (PSS). Costs milliseconds."""
    return sum(_told(_proportional, pid) for pid in pids)


def _proportional(pid: int) -> int:
    try:
        for line in read(f"/proc/{pid}/smaps_rollup").splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except PermissionError:
        return _resident(pid)  # a process may close itself to whoever looks: then all that it holds counts as its own
    except OSError:
        return 0
    return 0


def read(path: str) -> str:
    """A small file of /proc, without the buffers of `open`. However much is asked for, the kernel gives a page at a time."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        whole = b""
        while part := os.read(descriptor, 65536):
            whole += part
        return whole.decode(errors="replace")
    finally:
        os.close(descriptor)

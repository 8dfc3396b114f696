"""A test that leaves a process, a listening port or an asyncio task behind fails.

Podium's own processes detach on purpose (an environment outlives the hub), so it is not enough to look at children: every
process of the machine counts that began during the test and works in, or was told of, the test run's temporary folder.
Processes that lived before the test (those of fixtures with a wider scope) and their descendants are not the test's.
"""

import asyncio
import asyncio.runners
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest

GRACE_SECONDS = 5
STARTING_SECONDS = 1
KERNEL = 2
"""The process that all threads of the kernel descend from."""

_kept: set[int] = set()
_unfinished: list[str] = []


def keep(pid: int) -> None:
    """The process belongs to a fixture of the whole run, and so do its descendants."""
    _kept.add(pid)


@pytest.fixture(autouse=True)
def nothing_is_left_behind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Fails the test whose processes, ports or asyncio tasks outlive it by more than a few seconds."""
    before = Before.now(tmp_path_factory.getbasetemp())
    _unfinished.clear()
    yield
    left = _settled(before)
    for process in left.processes:
        process.kill()
    if left or _unfinished:
        pytest.fail("left behind: " + "; ".join([*left.words(), *_unfinished]), pytrace=False)


@dataclass(frozen=True)
class Left:
    processes: list[psutil.Process] = field(default_factory=list)
    ports: set[int] = field(default_factory=set)
    described: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.processes or self.ports)

    def words(self) -> list[str]:
        return [f"process {words}" for words in self.described] + [f"port {port}" for port in sorted(self.ports)]


@dataclass(frozen=True)
class Before:
    """What lived and listened before the test. A number together with its start time names a process for good."""

    folder: Path
    processes: frozenset[tuple[int, float]]
    ports: frozenset[int]

    @classmethod
    def now(cls, folder: Path) -> "Before":
        alive = frozenset((process.pid, process.create_time()) for process in psutil.process_iter(["create_time"]))
        return cls(folder, alive, frozenset(_ports()))

    def left(self) -> Left:
        me = psutil.Process()
        mine = {child.pid for child in me.children(recursive=True)}
        found = [process for process in psutil.process_iter() if self._is_left(process, mine)]
        return Left(found, _ports() - self.ports, [_described(process) for process in found])

    def _is_left(self, process: psutil.Process, mine: set[int]) -> bool:
        try:
            if self._is_older(process) or process.status() == psutil.STATUS_ZOMBIE:
                return False
            if process.pid not in mine and not self._concerns(process):
                return False
            parents = process.parents()
            return not any(
                parent.pid in _kept or (self._is_older(parent) and _is_fixture(parent)) for parent in (process, *parents)
            )
        except psutil.Error:
            return False

    def _is_older(self, process: psutil.Process) -> bool:
        return (process.pid, process.create_time()) in self.processes

    def _concerns(self, process: psutil.Process) -> bool:
        folder = str(self.folder)
        return process.cwd().startswith(folder) or any(folder in part for part in _command(process))


def _command(process: psutil.Process) -> list[str]:
    """The command line. A process that is just being started has none for a moment; one of the kernel never has."""
    deadline = time.monotonic() + STARTING_SECONDS
    while not (command := list[str](process.cmdline())) and process.ppid() != KERNEL and time.monotonic() < deadline:
        time.sleep(0.01)
    return command


def _is_fixture(process: psutil.Process) -> bool:
    """A process that a wider fixture started: below this one, not this one or one above it."""
    me = psutil.Process()
    return process.pid != me.pid and process.pid not in {parent.pid for parent in me.parents()}


def _ports() -> set[int]:
    connections = psutil.Process().net_connections(kind="inet")
    return {connection.laddr.port for connection in connections if connection.status == psutil.CONN_LISTEN}


def _settled(before: Before) -> Left:
    """What is left once processes that are about to end had their time."""
    deadline = time.monotonic() + GRACE_SECONDS
    while (left := before.left()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return left


def _described(process: psutil.Process) -> str:
    try:
        return f"{process.pid} ({' '.join(process.cmdline())[:200]})"
    except psutil.Error:
        return str(process.pid)


def pytest_configure() -> None:
    """asyncio cancels what is unfinished when its loop closes, without a word; here it is written down first."""
    cancel = asyncio.runners._cancel_all_tasks  # type: ignore[attr-defined]

    def cancel_and_tell(loop: asyncio.AbstractEventLoop) -> None:
        tasks = asyncio.all_tasks(loop)
        if tasks:
            _, pending = loop.run_until_complete(asyncio.wait(tasks, timeout=1))
            _unfinished.extend(f"asyncio task {task_name(task)}" for task in pending)
        cancel(loop)

    asyncio.runners._cancel_all_tasks = cancel_and_tell  # type: ignore[attr-defined]


def task_name(task: asyncio.Task[Any]) -> str:
    return f"{task.get_name()} ({getattr(task.get_coro(), '__qualname__', '?')})"

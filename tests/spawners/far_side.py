"""What the tests of a spawner need of the far side, whatever it is."""

import contextlib
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from queue import Queue
from typing import Any, Protocol, TypeVar

from hub.spawners.base import Observation, Spawner, StartSpec, State, Synced

T = TypeVar("T")
MIB = 1024 * 1024


def until(look: Callable[[], T | None], within: float = 60.0) -> T:
    """What `look` returns once it is true; asked again and again until then, at most for `within` seconds."""
    deadline = time.monotonic() + within
    while not (seen := look()):
        assert time.monotonic() < deadline, f"still {seen!r} after {within} seconds"
        time.sleep(0.01)
    return seen


class FarSide(Protocol):
    """A spawner together with the means to look at, and to disturb, what it runs."""

    at_once: int
    """How many starts this machine can be asked for at the same time."""
    told_within: float
    """Seconds within which the far side knows that a server was killed."""

    @property
    def spawner(self) -> Spawner:
        """The spawner under test."""

    def spec(self, **changes: Any) -> StartSpec:
        """A new start with a new workspace; `at_start` is Python code that its server runs first."""

    def run(self, start_id: str, code: str) -> str:
        """Run Python code in the server's process; what it leaves in `result`."""

    def kill(self, start_id: str, number: signal.Signals) -> None:
        """A signal from outside to the server."""

    def processes(self, start_id: str) -> int:
        """How many processes of a start live, its supervisor not counted."""

    def watching(self) -> "AbstractContextManager[Watching]":
        """What `watch` tells from now on, over a connection of its own."""


def observed(far: FarSide, start_id: str) -> Observation | None:
    return next((seen for seen in far.spawner.observe() if seen.start_id == start_id), None)


def in_state(far: FarSide, start_id: str, state: State) -> Observation | None:
    """The observation once it is in that state. Fails at once where the start ended instead."""
    seen = observed(far, start_id)
    assert seen is None or seen.state is not State.ENDED or state is State.ENDED, seen
    return seen if seen and seen.state is state else None


def hindered(far: FarSide, start_id: str, word: str = "") -> Observation | None:
    """The observation once it says what it waits for, with that word in it, or has ended."""
    seen = observed(far, start_id)
    return seen if seen and (seen.exit or (seen.hindrance and word in seen.hindrance)) else None


def ready(far: FarSide, spec: StartSpec) -> Observation:
    """Order a start and wait until it is ready."""
    far.spawner.start(spec)
    return until(lambda: in_state(far, spec.start_id, State.READY))


def ended(far: FarSide, start_id: str, within: float = 60.0) -> Observation:
    return until(lambda: in_state(far, start_id, State.ENDED), within)


def clear(far: FarSide) -> None:
    """End and forget all starts."""
    for seen in far.spawner.observe():
        far.spawner.stop(seen.start_id)
    for seen in far.spawner.observe():
        ended(far, seen.start_id)
        far.spawner.forget(seen.start_id)


class Watching:
    """What `watch` tells, collected by a thread."""

    def __init__(self, spawner: Spawner) -> None:
        self._told: Queue[Observation | Synced] = Queue()
        self._spawner = spawner
        self.thread = threading.Thread(target=self._listen, daemon=True)
        self.thread.start()

    def _listen(self) -> None:
        with contextlib.suppress(Exception):
            for told in self._spawner.watch():
                self._told.put(told)

    def next(self, within: float = 10.0) -> Observation | Synced:
        return self._told.get(timeout=within)

    def next_of(self, start_id: str, state: State, within: float = 10.0) -> Observation:
        """The first news of that start in that state."""
        deadline = time.monotonic() + within
        while True:
            told = self.next(max(0.0, deadline - time.monotonic()))
            if isinstance(told, Observation) and (told.start_id, told.state) == (start_id, state):
                return told


@contextmanager
def watching_over(spawner: Spawner, close: Callable[[], None]) -> Iterator[Watching]:
    """What that spawner's `watch` tells; `close` ends it."""
    watch = Watching(spawner)
    try:
        yield watch
    finally:
        close()
        watch.thread.join(10)

"""What the tests of a spawner need of the far side, and how the local spawner gives it."""

import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from queue import Queue
from typing import Any, Protocol, TypeVar

import httpx
import psutil

from hub.clock import new_id
from hub.settings import ROOT
from hub.spawners.base import Observation, Spawner, StartSpec, State, Synced
from hub.spawners.local.client import LocalSpawner
from hub.spawners.local.folders import Folders, folders_at, read_json
from hub.spawners.local.launch import ensure, stop
from hub.spawners.local.options import CODE, Options

T = TypeVar("T")
MIB = 1024 * 1024


def until(look: Callable[[], T | None], within: float = 15.0) -> T:
    """What `look` returns once it is true; asked again and again until then, at most for `within` seconds."""
    deadline = time.monotonic() + within
    while not (seen := look()):
        assert time.monotonic() < deadline, f"still {seen!r} after {within} seconds"
        time.sleep(0.01)
    return seen


class FarSide(Protocol):
    """A spawner together with the means to look at, and to disturb, what it runs."""

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


class LocalFarSide:
    """An agent with a stand-in for the environment's server, in folders of its own."""

    def __init__(self, data: Path, **changes: Any) -> None:
        self.folders: Folders = folders_at(data)
        self.options = replace(
            Options(self.folders.data, self.folders.runtime, (Path(sys.executable),)),
            code=(CODE, ROOT),
            server="tests.spawners.stand_in",
            preload="tests.spawners.stand_in",
            script=Path(__file__),
        )
        self.options = replace(self.options, **changes)
        self.spawner: LocalSpawner = ensure(self.options)

    def spec(self, *, at_start: str = "", **changes: Any) -> StartSpec:
        start_id, interpreter = new_id(), str(self.options.interpreters[0])
        spec = StartSpec(
            start_id, new_id(), new_id(), interpreter, 1, 1024 * MIB, 64, "", ({"kid": "one"},), {"AT_START": at_start}
        )
        return replace(spec, **changes)

    def run(self, start_id: str, code: str) -> str:
        with httpx.Client(transport=httpx.HTTPTransport(uds=str(self.folders.socket(start_id))), timeout=30) as client:
            return client.post("http://environment/run", content=code).text

    def kill(self, start_id: str, number: signal.Signals) -> None:
        os.kill(self.supervisor(start_id)["server"], number)

    def supervisor(self, start_id: str) -> dict[str, Any]:
        """Who supervises, as the start's folder says."""
        named: dict[str, Any] = until(lambda: read_json(self.folders.start(start_id).supervisor))
        return named

    def processes(self, start_id: str) -> int:
        """Found by what a process holds or was told, also where no parent leads to it any more."""
        log, mark = str(self.folders.start(start_id).log), f"START_ID={start_id}"
        supervisor = (read_json(self.folders.start(start_id).supervisor) or {}).get("pid")
        return sum(_is_of(process, log, mark) for process in psutil.process_iter() if process.pid != supervisor)

    def agent(self) -> int:
        return int(self.spawner.about()["pid"])

    def warm_parent(self) -> dict[str, Any]:
        parent: dict[str, Any] = self.spawner.about()["warm_parents"][0]
        return parent

    def clear(self) -> None:
        """End and forget all starts."""
        for seen in self.spawner.observe():
            self.spawner.stop(seen.start_id)
        for seen in self.spawner.observe():
            self.ended(seen.start_id)
            self.spawner.forget(seen.start_id)

    def ended(self, start_id: str, within: float = 15.0) -> Observation:
        return until(lambda: in_state(self, start_id, State.ENDED), within)

    def close(self) -> None:
        self.spawner.close()
        stop(self.options)


def lives(pid: int) -> bool:
    """Whether the process runs; one that only waits to be reaped does not."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _is_of(process: psutil.Process, log: str, mark: str) -> bool:
    with contextlib.suppress(psutil.Error, OSError):
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        if mark.encode() in Path(f"/proc/{process.pid}/environ").read_bytes().split(b"\0"):
            return True
        return Path(f"/proc/{process.pid}/fd/1").readlink() == Path(log)
    return False


def observed(far: FarSide, start_id: str) -> Observation | None:
    return next((seen for seen in far.spawner.observe() if seen.start_id == start_id), None)


def in_state(far: FarSide, start_id: str, state: State) -> Observation | None:
    """The observation once it is in that state. Fails at once where the start ended instead."""
    seen = observed(far, start_id)
    assert seen is None or seen.state is not State.ENDED or state is State.ENDED, seen
    return seen if seen and seen.state is state else None


def ready(far: FarSide, spec: StartSpec) -> Observation:
    """Order a start and wait until it is ready."""
    far.spawner.start(spec)
    return until(lambda: in_state(far, spec.start_id, State.READY))


def ended(far: FarSide, start_id: str, within: float = 15.0) -> Observation:
    return until(lambda: in_state(far, start_id, State.ENDED), within)


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
def watching(far: LocalFarSide) -> Iterator[Watching]:
    """Over a connection of its own, which is closed at the end."""
    spawner = LocalSpawner(far.folders.agent_socket, far.folders.agent_secret.read_text())
    watch = Watching(spawner)
    try:
        yield watch
    finally:
        spawner.close()
        watch.thread.join(10)

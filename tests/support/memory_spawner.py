"""A spawner in memory for tests of the hub: it starts nothing, and fails in the ways that its fields name."""

import queue
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

from hub.clock import now
from hub.errors import ClusterSilent, Conflict
from hub.spawners.base import SYNCED, Checkpoint, Ending, Exit, Observation, Size, StartSpec, State, Synced, Usage, Volume


class MemorySpawner:
    """`halts_at`: a start stays after that many checkpoints, for `hindrance`. `silent`: nothing answers."""

    checkpoints: tuple[str, ...] = ("workspace ready", "process started", "ready")
    size_stays = timedelta(seconds=30)

    def __init__(self, capacity: int | None = None) -> None:
        self.halts_at = len(self.checkpoints)
        self.hindrance = ""
        self.said: str | None = None
        self.silent = False
        self.capacity = capacity
        self.specs: list[StartSpec] = []
        self.workspaces: set[str] = set()
        self.known: dict[str, Observation] = {}
        self._listeners: list[queue.Queue[Any]] = []
        self._lock = threading.RLock()

    def memory_capacity(self) -> int | None:
        return self.capacity

    def start(self, spec: StartSpec) -> None:
        self._answer()
        with self._lock:
            if spec.start_id in self.known:
                return
            self.specs.append(spec)
            self.workspaces.add(spec.workspace_id)
            self._tell(Observation(spec.start_id, spec.workspace_id, State.PENDING))
            self.go_on(spec.start_id)

    def go_on(self, start_id: str) -> None:
        """Pass checkpoints as far as `halts_at` allows."""
        seen = self.known[start_id]
        names = self.checkpoints[: self.halts_at]
        points = tuple(Checkpoint(name, now()) for name in names)
        ready = self.halts_at >= len(self.checkpoints)
        upstream = f"unix:/nowhere/{start_id}" if ready else None
        state = State.READY if ready else State.PENDING
        self._tell(replace(seen, checkpoints=points, state=state, upstream=upstream, hindrance=self.hindrance))

    def end(self, start_id: str, why: Ending, **exit_: Any) -> None:
        """Let a run end by itself."""
        self._tell(replace(self.known[start_id], state=State.ENDED, upstream=None, exit=Exit(why, now(), **exit_)))

    def vanish(self, start_id: str) -> None:
        """Let the far side lose every trace of a run, unseen until the next `watch`."""
        del self.known[start_id]

    def stop(self, start_id: str) -> None:
        self._answer()
        if start_id in self.known and self.known[start_id].state is not State.ENDED:
            self.end(start_id, Ending.STOPPED)

    def observe(self) -> list[Observation]:
        self._answer()
        return list(self.known.values())

    def watch(self) -> Iterator[Observation | Synced]:
        self._answer()
        listener: queue.Queue[Any] = queue.Queue()
        with self._lock:
            present = list(self.known.values())
            self._listeners.append(listener)
        yield from present
        yield SYNCED
        while (item := listener.get()) is not None:
            yield item

    def hang_up(self) -> None:
        """End every `watch`, as a broken connection does."""
        with self._lock:
            for listener in self._listeners:
                listener.put(None)
            self._listeners.clear()

    def forget(self, start_id: str) -> None:
        self._answer()
        self.known.pop(start_id, None)

    def log(self, start_id: str, lines: int) -> str:
        self._answer()
        return f"the last {lines} lines of {start_id}" if self.said is None else self.said

    def usage(self) -> list[Usage]:
        self._answer()
        return [Usage(seen.start_id, now(), 10**8, 1.5, 3) for seen in self.known.values() if seen.state is State.READY]

    def volumes(self) -> list[Volume]:
        self._answer()
        return [Volume(workspace_id) for workspace_id in sorted(self.workspaces)]

    def workspace_size(self, workspace_id: str) -> Size:
        self._answer()
        return Size(1234, 10_000) if workspace_id in self.workspaces else Size(0)

    def workspace_archive(self, workspace_id: str) -> Iterator[bytes]:
        self._answer()
        yield workspace_id.encode()

    def delete_workspace(self, workspace_id: str) -> None:
        self._answer()
        if self.is_held(workspace_id):
            raise Conflict("An environment has this workspace.")
        self.workspaces.discard(workspace_id)

    def is_held(self, workspace_id: str) -> bool:
        return any(seen.workspace_id == workspace_id and seen.state is not State.ENDED for seen in self.known.values())

    def _answer(self) -> None:
        if self.silent:
            raise ClusterSilent

    def _tell(self, observation: Observation) -> None:
        with self._lock:
            self.known[observation.start_id] = observation
            for listener in self._listeners:
                listener.put(observation)

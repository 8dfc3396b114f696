"""The local spawner as the hub sees it: the agent's socket behind the spawner interface.

Every call has a deadline and is repeated once where the connection broke, since all are idempotent.
Where nobody answers, `revive` is asked to start the agent again.
"""

import contextlib
import json
import socket as sockets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from hub.errors import CannotStart, ClusterSilent
from hub.spawners.base import SYNCED, Observation, Size, StartSpec, Synced, Usage, Volume
from hub.spawners.checks import checked_id
from hub.spawners.isolation import Found, local_isolation
from hub.spawners.local import wire
from hub.spawners.local.connection import Answer, Connector, NobodyAnswers
from hub.spawners.local.start import CHECKPOINTS

_ANSWER_SECONDS = 10.0
_SLOW_SECONDS = 60.0
"""For what may read a whole workspace."""
_HEARTBEATS_MISSED_SECONDS = 15.0
_DOWN_SECONDS = 60.0
_TRIED_WITHIN = 5.0
_PART = 256 * 1024


class LocalSpawner:
    """Implements `hub.spawners.base.Spawner`. Safe to call from several threads."""

    checkpoints: tuple[str, ...] = CHECKPOINTS
    size_stays = timedelta(seconds=30)

    def __init__(
        self, socket: Path, secret: str, revive: Callable[[], None] | None = None, patience: float = _ANSWER_SECONDS
    ) -> None:
        self._connector = Connector(socket, secret)
        self._revive, self._patience = revive, patience
        self._capacity: int | None = None
        self._streams: set[sockets.socket] = set()
        self._lock = threading.Lock()

    def close(self) -> None:
        """Ends every `watch` and `workspace_archive` that is under way in other threads."""
        with self._lock:
            for stream in self._streams:
                with contextlib.suppress(OSError):
                    stream.shutdown(sockets.SHUT_RDWR)

    def memory_capacity(self) -> int | None:
        if self._capacity is None:
            self._capacity = int(self.about()["capacity"])
        return self._capacity

    def about(self) -> dict[str, Any]:
        """What the agent says of itself: pid, fingerprint, warm parents, capacity, how limits are held."""
        about: dict[str, Any] = json.loads(self._call("GET", "/about"))
        return about

    def isolation(self) -> str:
        """How far environments are kept apart, in a sentence. Nobody waits long for it."""
        try:
            told = json.loads(self._call("GET", "/isolation", patience=_TRIED_WITHIN))
        except NobodyAnswers:
            return "How far environments are kept apart is not known: the agent that runs them does not answer."
        except ClusterSilent:
            return "How far environments are kept apart is still being tried; `doctor` says it when it is known."
        found = Found(**told["found"]) if told["found"] else None
        return local_isolation(told["wanted"], found, told["no_accounts"])

    def start(self, spec: StartSpec) -> None:
        self._call("PUT", f"/starts/{checked_id(spec.start_id)}", body=wire.spec_to_json(spec))

    def stop(self, start_id: str) -> None:
        self._call("POST", f"/starts/{checked_id(start_id)}/stop")

    def observe(self) -> list[Observation]:
        return [wire.observation_from_json(seen) for seen in json.loads(self._call("GET", "/starts"))]

    def watch(self) -> Iterator[Observation | Synced]:
        with self._stream("/watch", _HEARTBEATS_MISSED_SECONDS) as answer:
            for line in answer.response:
                if line.strip():
                    seen = json.loads(line)
                    yield wire.observation_from_json(seen) if seen else SYNCED

    def forget(self, start_id: str) -> None:
        self._call("DELETE", f"/starts/{checked_id(start_id)}")

    def log(self, start_id: str, lines: int) -> str:
        return self._call("GET", f"/starts/{checked_id(start_id)}/log?{urlencode({'lines': max(lines, 0)})}")

    def usage(self) -> list[Usage]:
        return [wire.usage_from_json(usage) for usage in json.loads(self._call("GET", "/usage"))]

    def volumes(self) -> list[Volume]:
        return [Volume(workspace_id) for workspace_id in json.loads(self._call("GET", "/workspaces", patience=_SLOW_SECONDS))]

    def workspace_size(self, workspace_id: str) -> Size:
        path = f"/workspaces/{checked_id(workspace_id)}/size"
        return Size(**json.loads(self._call("GET", path, patience=_SLOW_SECONDS)))

    def workspace_archive(self, workspace_id: str) -> Iterator[bytes]:
        with self._stream(f"/workspaces/{checked_id(workspace_id)}/archive", _SLOW_SECONDS) as answer:
            while part := answer.response.read1(_PART):
                yield part

    def delete_workspace(self, workspace_id: str) -> None:
        self._call("DELETE", f"/workspaces/{checked_id(workspace_id)}")

    def leave(self) -> None:
        """End the agent; environments go on."""
        self._call("POST", "/leave")

    def down(self) -> None:
        """End every environment, then the agent. Returns when all environments have ended."""
        self._call("POST", "/down", patience=_DOWN_SECONDS)

    def _call(self, method: str, path: str, *, body: Any = None, patience: float | None = None) -> str:
        patience = patience or self._patience
        try:
            return self._ask(method, path, body, patience)
        except NobodyAnswers:
            self._bring_back()
            return self._ask(method, path, body, patience)

    def _ask(self, method: str, path: str, body: Any, patience: float) -> str:
        with self._connector.ask(method, path, patience, body) as answer:
            return answer.text()

    def _bring_back(self) -> None:
        try:
            if self._revive:
                self._revive()
        except CannotStart as error:
            raise NobodyAnswers from error

    @contextmanager
    def _stream(self, path: str, patience: float) -> Iterator[Answer]:
        """An answer that is read as it comes."""
        self._call("GET", "/about")  # brings the agent back where it is gone
        with self._connector.ask("GET", path, patience) as answer:
            with self._lock:
                self._streams.add(answer.socket)
            try:
                yield answer
            finally:
                with self._lock:
                    self._streams.discard(answer.socket)

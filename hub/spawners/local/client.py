"""The local spawner as the hub sees it: the agent's socket behind the spawner interface.

Every call has a deadline and is repeated once where the connection broke, since all are idempotent.
Where nobody answers, `revive` is asked to start the agent again. What httpx raises ends here.
"""

import contextlib
import json
import socket as sockets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from hub import errors
from hub.errors import ClusterSilent, Conflict, Invalid, NotFound, PodiumError
from hub.spawners.base import SYNCED, Observation, StartSpec, Synced, Usage
from hub.spawners.local import wire
from hub.spawners.local.folders import checked_id
from hub.spawners.local.start import CHECKPOINTS

_CONNECT_SECONDS = 2.0
_ANSWER_SECONDS = 10.0
_SLOW_SECONDS = 60.0
"""For what may read a whole workspace."""
_HEARTBEATS_MISSED_SECONDS = 15.0
_DOWN_SECONDS = 60.0

_ERRORS: dict[str, type[PodiumError]] = {error.__name__: error for error in (ClusterSilent, Conflict, Invalid, NotFound)}


class LocalSpawner:
    """Implements `hub.spawners.base.Spawner`. Safe to call from several threads."""

    checkpoints: tuple[str, ...] = CHECKPOINTS

    def __init__(self, socket: Path, secret: str, revive: Callable[[], None] | None = None) -> None:
        self._revive = revive
        self._client = httpx.Client(
            transport=httpx.HTTPTransport(uds=str(socket), limits=httpx.Limits(max_connections=None)),
            base_url="http://agent",
            headers={"Authorization": f"Bearer {secret}"},
            timeout=_timeout(_ANSWER_SECONDS),
        )
        self._capacity: int | None = None
        self._streams: set[sockets.socket] = set()
        self._lock = threading.Lock()

    def close(self) -> None:
        """Ends every `watch` and `workspace_archive` that is under way in other threads, too."""
        with self._lock:
            for stream in self._streams:
                with contextlib.suppress(OSError):
                    stream.shutdown(sockets.SHUT_RDWR)
        self._client.close()

    def memory_capacity(self) -> int | None:
        if self._capacity is None:
            self._capacity = int(self.about()["capacity"])
        return self._capacity

    def about(self) -> dict[str, Any]:
        """What the agent says of itself: pid, fingerprint, warm parents, capacity, how limits are held."""
        about: dict[str, Any] = self._call("GET", "/about").json()
        return about

    def start(self, spec: StartSpec) -> None:
        self._call("PUT", f"/starts/{checked_id(spec.start_id)}", json=wire.spec_to_json(spec))

    def stop(self, start_id: str) -> None:
        self._call("POST", f"/starts/{checked_id(start_id)}/stop")

    def observe(self) -> list[Observation]:
        return [wire.observation_from_json(seen) for seen in self._call("GET", "/starts").json()]

    def watch(self) -> Iterator[Observation | Synced]:
        with self._stream("/watch", _HEARTBEATS_MISSED_SECONDS) as answer:
            for line in answer.iter_lines():
                if line:
                    seen = json.loads(line)
                    yield wire.observation_from_json(seen) if seen else SYNCED

    def forget(self, start_id: str) -> None:
        self._call("DELETE", f"/starts/{checked_id(start_id)}")

    def log(self, start_id: str, lines: int) -> str:
        return self._call("GET", f"/starts/{checked_id(start_id)}/log", params={"lines": max(lines, 0)}).text

    def usage(self) -> list[Usage]:
        return [wire.usage_from_json(usage) for usage in self._call("GET", "/usage").json()]

    def workspace_size(self, workspace_id: str) -> int:
        return int(self._call("GET", f"/workspaces/{checked_id(workspace_id)}/size", patience=_SLOW_SECONDS).json())

    def workspace_archive(self, workspace_id: str) -> Iterator[bytes]:
        with self._stream(f"/workspaces/{checked_id(workspace_id)}/archive", _SLOW_SECONDS) as answer:
            yield from answer.iter_raw()

    def delete_workspace(self, workspace_id: str) -> None:
        self._call("DELETE", f"/workspaces/{checked_id(workspace_id)}")

    def leave(self) -> None:
        """End the agent; environments go on."""
        self._call("POST", "/leave")

    def down(self) -> None:
        """End every environment, then the agent. Returns when all environments have ended."""
        self._call("POST", "/down", patience=_DOWN_SECONDS)

    def _call(self, method: str, path: str, *, patience: float = _ANSWER_SECONDS, **options: Any) -> httpx.Response:
        timeout = _timeout(patience)
        try:
            answer = self._client.request(method, path, timeout=timeout, **options)
        except httpx.TimeoutException as error:
            raise ClusterSilent from error
        except httpx.TransportError:
            answer = self._once_more(method, path, timeout=timeout, **options)
        _raise_for(answer)
        return answer

    def _once_more(self, method: str, path: str, **options: Any) -> httpx.Response:
        try:
            if self._revive:
                self._revive()
            return self._client.request(method, path, **options)
        except (httpx.TransportError, errors.CannotStart) as error:
            raise ClusterSilent from error

    @contextmanager
    def _stream(self, path: str, patience: float) -> Iterator[httpx.Response]:
        """An answer that is read as it comes. A broken connection is a silent cluster."""
        self._call("GET", "/about")  # starts the agent again where it is gone
        try:
            with self._client.stream("GET", path, timeout=_timeout(patience)) as answer, self._registered(answer):
                if answer.is_error:
                    answer.read()
                _raise_for(answer)
                yield answer
        except httpx.TransportError as error:
            raise ClusterSilent from error

    @contextmanager
    def _registered(self, answer: httpx.Response) -> Iterator[None]:
        """Lets `close` interrupt a thread that waits for the next part."""
        stream: sockets.socket = answer.extensions["network_stream"].get_extra_info("socket")
        with self._lock:
            self._streams.add(stream)
        try:
            yield
        finally:
            with self._lock:
                self._streams.discard(stream)


def _timeout(answer: float) -> httpx.Timeout:
    return httpx.Timeout(answer, connect=_CONNECT_SECONDS)


def _raise_for(answer: httpx.Response) -> None:
    """Errors that the agent translated keep their class and sentence; anything else is a silent cluster."""
    if answer.is_success:
        return
    try:
        told = answer.json()
        error, sentence = _ERRORS[told["error"]], str(told["sentence"])
    except (ValueError, KeyError, TypeError):
        raise ClusterSilent from None
    raise error(sentence)

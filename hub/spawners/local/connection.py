"""HTTP to the agent's Unix socket, one connection a call, with a deadline on each wait.

A new connection costs less than a tenth of a millisecond here, cannot be a stale one of an agent
that was replaced, and is closed when the call is over. What the standard library raises ends here.
"""

import http.client
import json
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hub.errors import ClusterSilent, Conflict, Invalid, NotFound, PodiumError

_ERRORS: dict[str, type[PodiumError]] = {error.__name__: error for error in (ClusterSilent, Conflict, Invalid, NotFound)}


class NobodyAnswers(ClusterSilent):
    """No agent listens, or it went away before it answered; a call may be repeated."""


@dataclass(frozen=True)
class Answer:
    """A successful answer whose body has not been read. `socket` may be shut down to interrupt a reader."""

    response: http.client.HTTPResponse
    socket: socket.socket

    def text(self) -> str:
        return self.response.read().decode()


class Connector:
    def __init__(self, path: Path, secret: str) -> None:
        self._path, self._headers = str(path), {"Authorization": f"Bearer {secret}"}

    @contextmanager
    def ask(self, method: str, path: str, patience: float, body: Any = None) -> Iterator[Answer]:
        """The answer to one request. Raises the error that the agent named, or `ClusterSilent`."""
        connection = _UnixConnection(self._path, patience)
        try:
            with closing(connection):
                content = None if body is None else json.dumps(body)
                yield _answer(connection, method, path, content, self._headers)
        except TimeoutError as error:
            raise ClusterSilent from error
        except (OSError, http.client.HTTPException) as error:
            raise NobodyAnswers from error


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str, patience: float) -> None:
        super().__init__("agent", timeout=patience)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def _answer(connection: _UnixConnection, method: str, path: str, content: str | None, headers: dict[str, str]) -> Answer:
    connection.request(method, path, content, headers)
    held = connection.sock
    response = connection.getresponse()
    if not 200 <= response.status < 300:
        with closing(response):
            raise _named(response.read())
    return Answer(response, held)


def _named(body: bytes) -> PodiumError:
    """The error that the agent named; anything else that is no success is a silent cluster."""
    try:
        told = json.loads(body)
        return _ERRORS[told["error"]](str(told["sentence"]))
    except (ValueError, KeyError, TypeError):
        return ClusterSilent()

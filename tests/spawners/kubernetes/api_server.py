"""An API server that answers as a test tells it to: what a real one does too seldom to wait for."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

from kubernetes import client

from hub.spawners.kubernetes.api import Api
from tests.support.http_server import Answering, QuietServer

HELD = (200, b"")
"""A watch that is open, in which nothing happens."""


class ApiServer(QuietServer):
    """`answers` are taken one after the other, the last one again and again; `asked` is what came."""

    def __init__(self, answers: list[Any]) -> None:
        super().__init__(_Handler)
        self.answers = answers
        self.asked: list[dict[str, str]] = []
        self.lock = threading.Lock()
        self.released = threading.Event()

    def release(self) -> bool:
        """End what is held."""
        self.released.set()
        return True

    def next(self, asked: dict[str, str]) -> Any:
        with self.lock:
            self.asked.append(asked)
            return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


class _Handler(Answering):
    server: ApiServer

    def do_GET(self) -> None:  # noqa: N802 (the name that the base class looks for)
        asked = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
        answer = self.server.next(asked)
        if answer is None:
            self.close_connection = True
            return
        status, body = answer
        if answer is HELD:
            self.send_response(status)
            self.end_headers()
            self.server.released.wait(60)
            self.close_connection = True
            return
        self.answer(status, body)


@contextmanager
def api_server(*answers: Any) -> Iterator[tuple[Api, ApiServer]]:
    """An answer is a status and a body; None breaks the connection off."""
    server = ApiServer(list(answers))
    configuration = client.Configuration(host=f"http://127.0.0.1:{server.server_port}")
    configuration.retries = False
    with server.running():
        try:
            yield Api(client.ApiClient(configuration), "somewhere"), server
        finally:
            server.release()


def listed(version: str, *names: str, following: str = "") -> tuple[int, dict[str, Any]]:
    metadata = {"resourceVersion": version, "continue": following}
    return 200, {"metadata": metadata, "items": [thing(name, version) for name in names]}


def watched(*events: tuple[str, str, str]) -> tuple[int, bytes]:
    """Lines of a watch: what happened, to which object, at which version; then the watch ends."""
    lines = [{"type": what, "object": thing(name, version)} for what, name, version in events]
    return 200, b"".join(json.dumps(line).encode() + b"\n" for line in lines)


def thing(name: str, version: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "uid": name, "resourceVersion": version}}


GONE = (200, json.dumps({"type": "ERROR", "object": {"code": 410, "reason": "Expired", "message": "too old"}}).encode() + b"\n")

"""Stands between a hub and the real API server, and does to chosen requests what networks and servers do."""

import contextlib
import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

from kubernetes import client
from urllib3.exceptions import HTTPError

from tests.support.http_server import Answering, QuietServer

Fault = Literal["drop", "lose", "delay", "409", "410", "429", "500", "stale"]
"""Not passed on; carried out, but the answer is lost; late; refused with a status; a list as it was at first."""
_DELAY, _DELAY_OF_A_WATCH = 2.0, 30.0
"""Seconds."""


@dataclass
class Rule:
    """What happens to the next `times` requests of a method in whose path the pattern `part` is found."""

    fault: Fault
    method: str
    part: str
    times: int = 1
    done: int = 0


@dataclass
class FaultProxy:
    """`url` is an API server to whoever asks there."""

    upstream: client.ApiClient
    url: str = ""
    rules: list[Rule] = field(default_factory=list)
    first_lists: dict[str, bytes] = field(default_factory=dict)
    streams: list[socket.socket] = field(default_factory=list)
    """Connections of watches that are open."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def will(self, fault: Fault, method: str, part: str, times: int = 1) -> Rule:
        rule = Rule(fault, method, part, times)
        with self.lock:
            self.rules.append(rule)
        return rule

    def cut(self) -> None:
        """Break all watches off."""
        for connection in list(self.streams):
            with contextlib.suppress(OSError):  # it may have ended by itself meanwhile
                connection.shutdown(socket.SHUT_RDWR)

    def api(self) -> client.ApiClient:
        """A connection through this proxy."""
        configuration = client.Configuration(host=self.url)
        configuration.retries = False
        return client.ApiClient(configuration)

    def rule_for(self, method: str, path: str) -> Rule | None:
        with self.lock:
            for rule in self.rules:
                if rule.done < rule.times and rule.method == method and re.search(rule.part, path):
                    rule.done += 1
                    return rule
        return None


class _Handler(Answering):
    proxy: FaultProxy

    def _handle(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        rule = self.proxy.rule_for(self.command, self.path)
        fault = rule.fault if rule else None
        if fault == "drop":
            self.close_connection = True
        elif fault == "stale":
            self.answer(200, self.proxy.first_lists[urlsplit(self.path).path])
        elif fault in {"409", "410", "429", "500"}:
            self._refuse(int(fault))
        else:
            if fault == "delay":
                time.sleep(_DELAY_OF_A_WATCH if self._is_watch() else _DELAY)
            self._pass_on(body, lose=fault == "lose")

    do_GET = do_POST = do_PATCH = do_DELETE = _handle  # noqa: N815 (the names that the base class looks for)

    def _is_watch(self) -> bool:
        return "watch" in parse_qs(urlsplit(self.path).query)

    def _refuse(self, status: int) -> None:
        """As the API server does; a watch that is too old is told so in its stream."""
        said = {"kind": "Status", "status": "Failure", "code": status, "reason": "Injected", "message": "a fault of the test"}
        if status == 410 and self._is_watch():
            self.answer(200, json.dumps({"type": "ERROR", "object": said}).encode() + b"\n")
        else:
            self.answer(status, said)

    def _pass_on(self, body: bytes, *, lose: bool) -> None:
        kept = {name: self.headers[name] for name in ("Content-Type", "Accept") if name in self.headers}
        pool = self.proxy.upstream.rest_client.pool_manager
        host = self.proxy.upstream.configuration.host
        try:
            answer = pool.request(self.command, host + self.path, body=body, headers=kept, preload_content=False, timeout=60)
            if self._is_watch():
                self._stream(answer)
                return
            content = answer.read()
        except HTTPError:
            self.close_connection = True
            return
        if self.command == "GET":
            self.proxy.first_lists.setdefault(urlsplit(self.path).path, content)
        if lose:
            self.close_connection = True
        else:
            self.answer(answer.status, content)

    def _stream(self, answer: Any) -> None:
        self.send_response(answer.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Connection", "close")
        self.end_headers()
        self.proxy.streams.append(self.connection)
        try:
            for part in answer.stream(amt=None):
                self.wfile.write(part)
                self.wfile.flush()
        finally:
            self.proxy.streams.remove(self.connection)
            answer.close()
            self.close_connection = True


@contextmanager
def fault_proxy(upstream: client.ApiClient) -> Iterator[FaultProxy]:
    proxy = FaultProxy(upstream)
    server = QuietServer(type("Handler", (_Handler,), {"proxy": proxy}))
    proxy.url = f"http://127.0.0.1:{server.server_port}"
    with server.running():
        yield proxy

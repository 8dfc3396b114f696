"""A stand-in for what runs in an environment: it answers with what reached it."""

import asyncio
import json
import re
from http import HTTPStatus
from typing import Any

from starlette.types import Message, Receive, Scope, Send

EVIL_HEADERS = [
    (b"content-type", b"text/plain"),
    (b"strict-transport-security", b"max-age=99999; includeSubDomains"),
    (b"clear-site-data", b'"cookies"'),
    (b"service-worker-allowed", b"/"),
    (b"x-accel-redirect", b"/_podium_authorize"),
    (b"x-accel-expires", b"1000"),
    (b"x-accel-limit-rate", b"10000"),
    (b"x-accel-buffering", b"yes"),
    (b"set-cookie", b"podium=evil; Path=/"),
    (b"set-cookie", b"__Host-podium=evil; Path=/; Secure"),
    (b"set-cookie", b"__Host-podium-entry=evil; Path=/; Secure"),
    (b"set-cookie", b"=podium=evil; Path=/"),
    (b"set-cookie", b"tossed=evil; Domain=localhost; Path=/"),
    (b"set-cookie", b"tossed2=evil; Path=/; domain=.localhost"),
    (b"set-cookie", b"own=fine; Path=/; HttpOnly; SameSite=Strict"),
    (b"x-own", b"fine"),
]


class Echo:
    """Below any base path: /echo, /upload, /stream (and /stream-go), /evil, /status/<n>, /bytes/<n>; WebSockets echo."""

    def __init__(self) -> None:
        self._go: dict[str, asyncio.Event] = {}
        self.targets: list[str] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
        elif scope["type"] == "websocket":
            await _socket(scope, receive, send)
        else:
            self.targets.append(scope["raw_path"].decode())
            path = re.sub("^/user/[^/]+", "", scope["path"])
            await self._http(path, scope, receive, send)

    async def _http(self, path: str, scope: Scope, receive: Receive, send: Send) -> None:
        if path == "/upload":
            await _answer(send, {"received": await _count(receive)})
        elif path == "/evil":
            await send({"type": "http.response.start", "status": 200, "headers": EVIL_HEADERS})
            await send({"type": "http.response.body", "body": b"evil"})
        elif path == "/stream":
            await self._stream(scope["query_string"].decode(), send)
        elif path == "/stream-go":
            self._event(scope["query_string"].decode()).set()
            await _answer(send, {})
        elif found := re.fullmatch("/status/([0-9]+)", path):
            await _answer(send, {"own": True}, int(found[1]))
        elif found := re.fullmatch("/bytes/([0-9]+)", path):
            await _bytes(int(found[1]), send)
        else:
            await _answer(send, _seen(scope))

    def _event(self, name: str) -> asyncio.Event:
        return self._go.setdefault(name, asyncio.Event())

    async def _stream(self, name: str, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
        await send({"type": "http.response.body", "body": b"first\n", "more_body": True})
        await self._event(name).wait()
        await send({"type": "http.response.body", "body": b"second\n"})


def _seen(scope: Scope) -> dict[str, Any]:
    return {
        "method": scope.get("method", ""),
        "path": scope["raw_path"].decode(),
        "query": scope["query_string"].decode(),
        "headers": [[name.decode("latin-1"), value.decode("latin-1")] for name, value in scope["headers"]],
    }


async def _answer(send: Send, content: dict[str, Any], status: int = 200) -> None:
    body = b"" if status == HTTPStatus.NO_CONTENT else json.dumps(content).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    if not body:
        headers.clear()
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _bytes(number: int, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", str(number).encode())]})
    while number:
        chunk = b"x" * min(number, 65536)
        number -= len(chunk)
        await send({"type": "http.response.body", "body": chunk, "more_body": bool(number)})


async def _count(receive: Receive) -> int:
    received, more = 0, True
    while more:
        message = await receive()
        received += len(message.get("body", b""))
        more = message.get("more_body", False)
    return received


async def _socket(scope: Scope, receive: Receive, send: Send) -> None:
    """Sends each message back; `close <code> <reason>` closes, `seen` tells what arrived."""
    await receive()
    chosen = next(iter(scope["subprotocols"]), None)
    await send({"type": "websocket.accept", "subprotocol": chosen})
    while (message := await receive())["type"] == "websocket.receive":
        text = message.get("text")
        if text and text.startswith("close "):
            _, code, reason = text.split(" ", 2)
            await send({"type": "websocket.close", "code": int(code), "reason": reason})
            return
        await send(_reply(scope, message))


def _reply(scope: Scope, message: Message) -> Message:
    if message.get("text") == "seen":
        return {"type": "websocket.send", "text": json.dumps(_seen(scope))}
    if message.get("bytes") is not None:
        return {"type": "websocket.send", "bytes": message["bytes"]}
    return {"type": "websocket.send", "text": message["text"]}


async def _lifespan(receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await send({"type": "lifespan.shutdown.complete"})

"""Whoever has seen an answer is told that it is the same (RFC 9110, 8.8.3): polling costs no transfer."""

import hashlib
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class Etags:
    """ASGI middleware for small answers that are made whole."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET":
            await self._app(scope, receive, send)
            return
        start: dict[str, Any] = {}

        async def tagged(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
            elif start and not message.get("more_body", False):
                await _send(start, message.get("body", b""), Headers(scope=scope).get("if-none-match", ""), send)
            else:
                await _streamed(start, message, send)

        await self._app(scope, receive, tagged)


async def _streamed(start: dict[str, Any], message: Message, send: Send) -> None:
    """What comes in parts is passed on as it comes."""
    if start:
        await send(dict(start))
        start.clear()
    await send(message)


async def _send(start: Message, body: bytes, known: str, send: Send) -> None:
    if start["status"] == 200:
        tag = f'W/"{hashlib.sha256(body).hexdigest()[:32]}"'
        headers = MutableHeaders(raw=start["headers"])
        headers["etag"], headers["cache-control"] = tag, "private, no-cache"
        if tag in (one.strip() for one in known.split(",")):
            del headers["content-length"]
            start["status"], body = 304, b""
    await send(start)
    await send({"type": "http.response.body", "body": body})

"""One WebSocket through the gateway.

The environment is asked first and the browser accepted with what it chose. Text and binary
messages, subprotocols and close codes pass unchanged. Pings do not pass: each side keeps its own
connection alive.
"""

import asyncio

from aiohttp import ClientError, ClientWebSocketResponse, WSMsgType, WSServerHandshakeError
from starlette.types import Message, Receive, Scope, Send
from yarl import URL

from hub.routing.decisions import Allowed
from hub.routing.gateway_http import request_headers, target
from hub.routing.upstreams import Upstreams

LARGEST = 200 * 1024 * 1024
"""Bytes of one message, as Streamlit has it (`server.maxMessageSize`)."""

_NORMAL, _GOING_AWAY, _NO_STATUS, _RESTARTING = 1000, 1001, 1005, 1012
_SENDABLE = {1000, 1001, 1002, 1003, *range(1007, 1015), *range(3000, 5000)}
_OWN = 16
_FORBIDDEN, _BAD_GATEWAY = 403, 502


async def forward(upstreams: Upstreams, allowed: Allowed, scope: Scope, receive: Receive, send: Send) -> None:
    """Join the browser's socket with one of the environment until either side closes."""
    await receive()
    async with upstreams.use(allowed.upstream) as (client, base):
        try:
            socket = await client.ws_connect(
                URL(base + target(scope), encoded=True),
                headers=request_headers(allowed, scope),
                protocols=scope["subprotocols"],
                max_msg_size=LARGEST + _OWN,
                autoclose=True,
                autoping=True,
            )
        except WSServerHandshakeError as error:
            await refuse(scope, send, error.status if error.status == _FORBIDDEN else _BAD_GATEWAY)
            return
        except (ClientError, OSError, TimeoutError):
            await refuse(scope, send, _BAD_GATEWAY)
            return
        async with socket:
            await send({"type": "websocket.accept", "subprotocol": socket.protocol})
            await _join(socket, receive, send)


async def refuse(scope: Scope, send: Send, status: int) -> None:
    """Answer the handshake with this status; 403 where the server cannot say another one."""
    if "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close", "code": _NORMAL})
        return
    headers = [(b"content-length", b"0"), (b"cache-control", b"no-store")]
    await send({"type": "websocket.http.response.start", "status": status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": b""})


async def _join(socket: ClientWebSocketResponse, receive: Receive, send: Send) -> None:
    sides = [asyncio.ensure_future(_from_browser(socket, receive)), asyncio.ensure_future(_from_environment(socket, send))]
    try:
        await asyncio.wait(sides, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for side in sides:
            side.cancel()
        await asyncio.gather(*sides, return_exceptions=True)


async def _from_browser(socket: ClientWebSocketResponse, receive: Receive) -> None:
    while (message := await receive())["type"] == "websocket.receive":
        await _pass_on(socket, message)
    code = message.get("code", _NO_STATUS)
    reason = (message.get("reason") or "").encode()
    await socket.close(code=code if code in _SENDABLE else _GOING_AWAY, message=reason)


async def _pass_on(socket: ClientWebSocketResponse, message: Message) -> None:
    if message.get("bytes") is not None:
        await socket.send_bytes(message["bytes"])
    else:
        await socket.send_str(message["text"])


async def _from_environment(socket: ClientWebSocketResponse, send: Send) -> None:
    while True:
        message = await socket.receive()
        if message.type is WSMsgType.BINARY:
            await send({"type": "websocket.send", "bytes": message.data})
        elif message.type is WSMsgType.TEXT:
            await send({"type": "websocket.send", "text": message.data})
        else:
            await send(_close(socket.close_code, message.extra if message.type is WSMsgType.CLOSE else None))
            return


def _close(code: int | None, reason: str | None) -> Message:
    """An environment that vanished closes with 1012, so that the page tries again."""
    if code in {0, _NO_STATUS}:
        return {"type": "websocket.close", "code": _NORMAL}
    return {"type": "websocket.close", "code": code if code in _SENDABLE else _RESTARTING, "reason": reason or ""}

"""One HTTP request through the gateway: streamed in both directions, nothing held in memory."""

import asyncio
import logging
from collections.abc import AsyncIterator

from aiohttp import ClientError, ClientResponse
from multidict import CIMultiDict
from starlette.types import Receive, Scope, Send
from yarl import URL

from hub.routing import assertion, headers
from hub.routing.decisions import Allowed, Door
from hub.routing.upstreams import Upstreams

log = logging.getLogger(__name__)

_REFUSED = 421
_TROUBLE = {502, 504}
_SMALL = 65_536


class EnvironmentSilent(Exception):
    """The environment gave no answer of its own; `door` is the page to show. Nothing was sent to the browser yet."""

    def __init__(self, door: Door) -> None:
        super().__init__(door.value)
        self.door = door


async def forward(upstreams: Upstreams, allowed: Allowed, scope: Scope, receive: Receive, send: Send) -> None:
    """Pass the request on and the answer back. Raises `EnvironmentSilent`."""
    present = _has_body(scope)
    body = _Body(receive, present=present)
    async with upstreams.use(allowed.upstream) as (client, base):
        try:
            response = await client.request(
                scope["method"],
                URL(base + target(scope), encoded=True),
                headers=request_headers(allowed, scope),
                data=body.chunks() if present else None,
                allow_redirects=False,
            )
        except (ClientError, OSError, TimeoutError) as error:
            if body.broken:
                return
            raise EnvironmentSilent(Door.SILENT) from error
        async with response:
            if (door := _door(response)) is not None:
                raise EnvironmentSilent(door)
            await _answer(response, body, send)


def target(scope: Scope) -> str:
    """Path and query exactly as the browser sent them."""
    path: bytes = scope["raw_path"]
    query: bytes = scope.get("query_string", b"")
    return (path + b"?" + query if query else path).decode("ascii")


def request_headers(allowed: Allowed, scope: Scope) -> CIMultiDict[str]:
    """The browser's headers that may pass, the body's length, and the assertion."""
    passed = headers.to_environment(scope["headers"])
    given: CIMultiDict[str] = CIMultiDict((name.decode("latin-1"), content.decode("latin-1")) for name, content in passed)
    if scope["type"] == "http" and (length := headers.value(scope["headers"], b"content-length")):
        given["content-length"] = length
    given[assertion.HEADER] = allowed.assertion
    return given


def _has_body(scope: Scope) -> bool:
    length = headers.value(scope["headers"], b"content-length")
    return length not in {"", "0"} or bool(headers.values(scope["headers"], b"transfer-encoding"))


def _door(response: ClientResponse) -> Door | None:
    """A refusal of the environment's shim, or a failing environment, becomes a page of ours."""
    if response.status == _REFUSED:
        refusal = response.headers.get("X-Podium-Refusal", "")
        return {"revoked": Door.LOGIN, "expired": Door.AWAY}.get(refusal, Door.SILENT)
    return Door.SILENT if response.status in _TROUBLE else None


async def _answer(response: ClientResponse, body: "_Body", send: Send) -> None:
    """Stream the answer until it ends or the browser goes away; a small one goes in one piece."""
    await send({"type": "http.response.start", "status": response.status, "headers": headers.to_browser(response.raw_headers)})
    if response.content_length is not None and response.content_length <= _SMALL:
        await _copy(response, send)
        return
    gone = asyncio.ensure_future(body.gone())
    copied = asyncio.ensure_future(_copy(response, send))
    try:
        await asyncio.wait({gone, copied}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (gone, copied):
            task.cancel()
        await asyncio.gather(gone, copied, return_exceptions=True)
    if not copied.cancelled() and (error := copied.exception()) is not None:
        raise error


async def _copy(response: ClientResponse, send: Send) -> None:
    """An environment that vanishes half-way leaves the answer unfinished, and the browser sees that."""
    try:
        async for chunk in response.content.iter_any():
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
    except (ClientError, OSError) as error:
        log.info("an environment broke off an answer: %r", error)
        return
    await send({"type": "http.response.body", "body": b"", "more_body": False})


class _Body:
    """The browser's request body as it comes. `broken` is set where the browser went away within it."""

    def __init__(self, receive: Receive, *, present: bool) -> None:
        self._receive = receive
        self._read = asyncio.Event()
        if not present:
            self._read.set()
        self.broken = False

    async def chunks(self) -> AsyncIterator[bytes]:
        more = True
        try:
            while more:
                message = await self._receive()
                if message["type"] == "http.disconnect":
                    self.broken = True
                    raise ConnectionResetError("the browser went away")
                more = message.get("more_body", False)
                if message.get("body"):
                    yield message["body"]
        finally:
            self._read.set()

    async def gone(self) -> None:
        """Returns when the browser has gone away. An answer may come before the body was read to its end."""
        await self._read.wait()
        while (await self._receive())["type"] != "http.disconnect":
            continue

"""A small proxy in front of an environment that adds a fresh assertion to each request, as the hub's gateway does."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp
from aiohttp import web

from tests.environment.running import Environment

_DROPPED = {"host", "connection", "upgrade", "content-length", "transfer-encoding", "content-encoding", "keep-alive"}


class Front:
    def __init__(self, behind: Environment) -> None:
        self._behind = behind
        self._session: aiohttp.ClientSession | None = None

    async def handle(self, request: web.Request) -> web.StreamResponse:
        if request.path == "/_podium/tab.js":
            return web.Response(text="window.podiumTab = true", content_type="text/javascript")
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._socket(request)
        return await self._plain(request)

    async def _plain(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        url = f"http://{request.host}{request.rel_url}"
        async with self._upstream().request(
            request.method, url, data=body, headers=self._headers(request), allow_redirects=False
        ) as answer:
            headers = [(name, value) for name, value in answer.headers.items() if name.lower() not in _DROPPED]
            reply = web.Response(status=answer.status, body=await answer.read())
            for name, value in headers:
                if name.lower() == "content-type":
                    reply.headers[name] = value
                else:
                    reply.headers.add(name, value)
            return reply

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        protocols = [part.strip() for part in request.headers.get("Sec-WebSocket-Protocol", "").split(",") if part.strip()]
        headers = {
            name: value for name, value in self._headers(request).items() if not name.lower().startswith("sec-websocket")
        }
        url = f"http://{request.host}{request.rel_url}"
        async with self._upstream().ws_connect(url, headers=headers, protocols=protocols, max_msg_size=0) as far:
            near = web.WebSocketResponse(protocols=protocols[:1], max_msg_size=0)
            await near.prepare(request)
            await asyncio.wait(
                [asyncio.create_task(_pump(near, far)), asyncio.create_task(_pump(far, near))],
                return_when=asyncio.FIRST_COMPLETED,
            )
            await near.close()
        return near

    def _headers(self, request: web.Request) -> dict[str, str]:
        kept = {name: value for name, value in request.headers.items() if name.lower() not in _DROPPED}
        return {**kept, "X-Podium-Assertion": self._behind.token(sid="browser")}

    def _upstream(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.UnixConnector(self._behind.address), cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=True
            )
        return self._session

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()


async def _pump(
    source: web.WebSocketResponse | aiohttp.ClientWebSocketResponse,
    target: web.WebSocketResponse | aiohttp.ClientWebSocketResponse,
) -> None:
    async for message in source:
        if message.type is aiohttp.WSMsgType.BINARY:
            await target.send_bytes(message.data)


@contextmanager
def front(behind: Environment) -> Iterator[str]:
    """The address at which a browser reaches the environment."""
    ready, loop = threading.Event(), asyncio.new_event_loop()
    ports: list[int] = []
    ended = asyncio.Event()

    async def run() -> None:
        proxy = Front(behind)
        application = web.Application(client_max_size=1 << 30)
        application.router.add_route("*", "/{path:.*}", proxy.handle)
        runner = web.AppRunner(application, shutdown_timeout=1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        ports.append(runner.addresses[0][1])
        ready.set()
        await ended.wait()
        await proxy.close()
        await runner.cleanup()

    thread = threading.Thread(target=lambda: loop.run_until_complete(run()))
    thread.start()
    ready.wait(10)
    try:
        yield f"http://demo.localhost:{ports[0]}"
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join(10)
        loop.close()

"""Refuses what another site makes a logged-in browser send, on every route there is or will be.

A request that may change something, and every WebSocket, must come from a page of the very host it
goes to. Browsers say so themselves, in `Sec-Fetch-Site` or at least in `Origin`, and no page can
forge either; `Sec-Fetch-Mode` is the page's own choice and therefore counts for nothing. The guard
stands in front of all routes, so a new one cannot forget it.
"""

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from hub.settings import Settings

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing anywhere in Podium."""

_SENTENCE = "Podium refused this because it did not come from one of its own pages. Open Podium itself and try again.\n"


class CsrfGuard:
    """ASGI middleware. Answers 403, for WebSockets before they are accepted."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._scheme = settings.scheme

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket" and not self._own_origin(Headers(scope=scope), default=True):
            await send({"type": "websocket.close", "code": 1008})
        elif scope["type"] == "http" and scope["method"] not in SAFE_METHODS and not self._own_page(Headers(scope=scope)):
            await PlainTextResponse(_SENTENCE, status_code=403)(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _own_page(self, headers: Headers) -> bool:
        sites = headers.getlist("sec-fetch-site")
        if sites:
            return sites == ["same-origin"] and self._own_origin(headers, default=True)
        return self._own_origin(headers, default=False)

    def _own_origin(self, headers: Headers, *, default: bool) -> bool:
        """`default` is the answer where no origin is sent: a client that is no browser carries no one's cookie unasked."""
        origins, hosts = headers.getlist("origin"), headers.getlist("host")
        if not origins:
            return default
        return len(hosts) == 1 and origins == [f"{self._scheme}://{hosts[0]}"]

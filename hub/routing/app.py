"""The outermost ASGI app: whose address is it, and who answers there?

Everything that comes in passes here first: bad targets and unreadable hosts are refused before
anything is decided; environments' addresses go to the gateway, with `/_podium/` below them to
the hub; `/routing/` and `/_podium/` on the hub's host are answered here; all else is the hub's.
"""

from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hub.routing import gateway_websocket
from hub.routing.addresses import HUB_PREFIX, Kind, Place
from hub.routing.decisions import Denied, Door
from hub.routing.headers import values
from hub.routing.isolation import is_foreign
from hub.routing.service import Routing
from hub.routing.targets import is_refused

_BAD_REQUEST, _FORBIDDEN, _NOT_FOUND, _MISDIRECTED = 400, 403, 404, 421
_WORDS = {
    _BAD_REQUEST: "Bad Request",
    _FORBIDDEN: "Podium refused this because it did not come from one of its own pages. Open Podium itself and try again.",
    _NOT_FOUND: "Not Found",
    _MISDIRECTED: "Misdirected Request",
}
_ON_ANY_HOST = {"/health", "/metrics", "/routing/authorize"}
_ROUTES = {"api", "auth", "routing"}
_OPERATORS_ONLY = ("/_stcore/metrics", "/_stcore/agent", "/_stcore/script-health-check", "/oauth2callback")


class RoutingApp:
    def __init__(self, hub_app: ASGIApp, routing: Routing) -> None:
        self._hub_app = hub_app
        self._routing = routing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._hub_app(scope, receive, self._closing(send))
            return
        place = None if is_refused(_target(scope)) else self._place(scope)
        if place is None:
            await _refuse(_BAD_REQUEST, scope, receive, send)
        elif place.kind is Kind.ELSEWHERE:
            await self._elsewhere(place, scope, receive, send)
        elif is_foreign(scope, self._routing.addresses.scheme):
            await _refuse(_FORBIDDEN, scope, receive, send)
        elif _is_operators(place.path) or (place.kind is Kind.HUB and _is_nowhere(place.path)):
            await _refuse(_NOT_FOUND, scope, receive, send)
        elif self._routing.assets.has(place, scope):
            await self._routing.assets.serve(place, scope, receive, send)
        elif place.kind is Kind.HUB:
            await self._hub(place, scope, receive, send)
        else:
            await self._environment(place, scope, receive, send)

    def _place(self, scope: Scope) -> Place | None:
        return self._routing.addresses.read(values(scope["headers"], b"host"), scope["path"])

    async def _hub(self, place: Place, scope: Scope, receive: Receive, send: Send) -> None:
        if place.path.startswith(("/routing/", HUB_PREFIX)):
            await self._routing.hub_side(place, scope, receive, send)
        elif not self._routing.addresses.by_host and place.path.startswith("/user/"):
            await self._routing.doors.answer(Denied(Door.UNKNOWN), place, scope, receive, send)
        else:
            await self._hub_app(scope, receive, send)

    async def _environment(self, place: Place, scope: Scope, receive: Receive, send: Send) -> None:
        if place.path.startswith(HUB_PREFIX):
            await self._routing.entrance(place, scope, receive, send)
        elif not place.path and scope["type"] == "http":
            await RedirectResponse(f"{place.prefix}/", 308)(scope, receive, send)
        else:
            await self._routing.gateway(place, scope, receive, send)

    async def _elsewhere(self, place: Place, scope: Scope, receive: Receive, send: Send) -> None:
        """A probe may ask by IP address; a person who typed one is sent to the right name."""
        if scope["type"] == "http" and place.path in _ON_ANY_HOST:
            answers = self._routing.hub_side if place.path.startswith("/routing/") else None
            await (answers(place, scope, receive, send) if answers else self._hub_app(scope, receive, send))
        elif scope["type"] == "http" and scope["method"] == "GET" and place.path == "/":
            await RedirectResponse(f"{self._routing.addresses.root}/", 307)(scope, receive, send)
        else:
            await _refuse(_MISDIRECTED, scope, receive, send)

    def _closing(self, send: Send) -> Send:
        """The connections to environments are closed once the hub has shut down."""

        async def sending(message: Message) -> None:
            if message["type"].startswith("lifespan.shutdown."):
                await self._routing.upstreams.close()
            await send(message)

        return sending


def _target(scope: Scope) -> bytes:
    """Path and query as sent."""
    query: bytes = scope.get("query_string", b"")
    path: bytes = scope["raw_path"]
    return path + b"?" + query if query else path


def _is_operators(path: str) -> bool:
    plain = "/" + path.strip("/").lower()
    return any(plain == address or plain.startswith(f"{address}/") for address in _OPERATORS_ONLY)


def _is_nowhere(path: str) -> bool:
    """Whether it looks like an address of the hub's routes without being one: Streamlit would answer with its page."""
    first, _, rest = path.lstrip("/").partition("/")
    return first.lower() in _ROUTES and (first not in _ROUTES or not rest)


async def _refuse(status: int, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await receive()
        await gateway_websocket.refuse(scope, send, status)
    else:
        await PlainTextResponse(_WORDS[status], status, {"Cache-Control": "no-store"})(scope, receive, send)

"""The guard in front of one environment: who has no assertion of the hub for this start stays out.

The proxy decides who may enter and signs that decision. This middleware believes the signature and
nothing else, neither the sender's address nor a header, because on one machine every process can
reach the socket, and in a cluster an address may pass from one environment to another. What every
environment serves alike (`/static/`) and what only the hub asks (`/_podium/health`, and
`/_podium/control` with a signature of its own) goes without; addresses of Streamlit that are meant
for its operator do not exist here.
"""

from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from environment import headers
from environment.control import control
from environment.keys import Assertion, KeyRing
from environment.refusal import Refusal, Refused, deny_socket, not_found, refuse
from environment.sockets import Sockets

_OPERATORS_ONLY = ("/_stcore/metrics", "/_stcore/agent", "/_stcore/script-health-check", "/auth", "/oauth2callback", "/_podium")


class Shim:
    """ASGI middleware around the app of the start `start_id`."""

    def __init__(self, app: ASGIApp, start_id: str, ring: KeyRing, base_url: str = "") -> None:
        self._app = app
        self._start_id = start_id
        self._ring = ring
        self._base_url = base_url
        self._sockets = Sockets()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "http" and scope["path"] == "/_podium/health":
            await JSONResponse({"start": self._start_id})(scope, receive, send)
        elif scope["type"] == "http" and scope["path"] == "/_podium/control":
            await control(self._ring, self._sockets, scope, receive, send)
        elif (path := self._below_base(scope["path"])) is None or _is_operators(path):
            await not_found(scope, receive, send)
        elif scope["type"] == "http" and _is_asset(path):
            await self._app({**scope, "headers": headers.cleaned(scope["headers"])}, receive, send)
        else:
            await self._guarded(scope, receive, send)

    async def _guarded(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            assertion = self._admit(scope)
        except Refused as refused:
            await refuse(refused.refusal, scope, receive, send)
            return
        known = {**scope, "headers": headers.cleaned(scope["headers"]) + headers.identity(assertion)}
        if scope["type"] == "http":
            await self._app(known, receive, send)
        elif _is_foreign(Headers(scope=scope)):
            await deny_socket(send)
        else:
            await self._sockets.hold(assertion, self._app, known, receive, send)

    def _admit(self, scope: Scope) -> Assertion:
        assertion = self._ring.assertion(headers.token(scope["headers"]))
        if assertion.session_id in self._sockets.revoked:
            raise Refused(Refusal.REVOKED)
        return assertion

    def _below_base(self, path: str) -> str | None:
        """The path as the app sees it without its base, or None where it lies outside."""
        if path == self._base_url:
            return "/"
        return path.removeprefix(self._base_url) if path.startswith(f"{self._base_url}/") else None


def _is_operators(path: str) -> bool:
    plain = "/" + path.strip("/").lower()
    return any(plain == address or plain.startswith(f"{address}/") for address in _OPERATORS_ONLY)


def _is_asset(path: str) -> bool:
    return path.startswith("/static/") and ".." not in path and "\\" not in path and "//" not in path


def _is_foreign(sent: Headers) -> bool:
    """Whether a page of another origin opens this socket.

    Streamlit would ask the network for the machine's own address before it says no, and it says
    yes to `localhost`, which is the hub and not this environment.
    """
    origin = sent.get("origin")
    return origin is not None and urlsplit(origin).netloc != sent.get("host")

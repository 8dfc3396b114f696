"""Where a request comes from that Podium's own NGINX passes on.

NGINX proves itself with its cluster's credential, so that nobody has to list its addresses: in a cluster those change, and
environments have addresses of the same network. What it says is what it took from the connection, never a browser's word.
"""

import hmac

from starlette.types import ASGIApp, Receive, Scope, Send

from hub.routing.headers import value

HEADER = "X-Podium-Proxy"
_HEADER, _TOLD = HEADER.lower().encode(), b"x-forwarded-for"


class OwnNginx:
    """Sets a scope's `client` for those who show `credential`; for nobody else anything changes."""

    def __init__(self, app: ASGIApp, credential: str) -> None:
        self._app, self._expected = app, credential.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in {"http", "websocket"} and (shown := value(scope["headers"], _HEADER)):
            address = value(scope["headers"], _TOLD)
            if address and hmac.compare_digest(shown.encode("latin-1"), self._expected):
                scope["client"] = (address, 0)
            scope["headers"] = [header for header in scope["headers"] if header[0].lower() != _HEADER]
        await self._app(scope, receive, send)

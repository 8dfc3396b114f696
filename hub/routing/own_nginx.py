"""Where a request comes from, and whom it is for, that one of Podium's own NGINX passes on.

NGINX proves itself with its cluster's credential, so that nobody has to list its addresses: in a cluster those change, and
environments have addresses of the same network. What it says is what it took from the connection, never a browser's word.

The NGINX of another cluster asks the hub over its public address, as anybody does, and may have the hub's own NGINX between: it
names its cluster, and in headers of their own the browser's address and the environment's host, which nobody there would route.
"""

import hmac
from collections.abc import Mapping

from starlette.types import ASGIApp, Receive, Scope, Send

from hub.clusters.service import credential_of
from hub.routing.headers import value

HEADER = "X-Podium-Proxy"
CLUSTER, HOST, ADDRESS = "X-Podium-Cluster", "X-Podium-Host", "X-Podium-Address"
_HEADER, _TOLD = HEADER.lower().encode(), b"x-forwarded-for"


class OwnNginx:
    """Sets a scope's `client` for those who show `credential`; for nobody else anything changes.

    `domains` are those of other clusters, by id: their NGINX shows the credential that follows from this one, and names hosts
    below its own domain alone.
    """

    def __init__(self, app: ASGIApp, credential: str, domains: Mapping[str, str]) -> None:
        self._app, self._expected, self._domains = app, credential.encode(), domains
        self._others = {cluster_id: f"Bearer {credential_of(cluster_id, credential)}".encode() for cluster_id in domains}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in {"http", "websocket"}:
            if shown := value(scope["headers"], _HEADER):
                self._hear_home(scope, shown)
            if (cluster := value(scope["headers"], CLUSTER.lower().encode())) in self._others:
                self._hear_other(scope, cluster)
        await self._app(scope, receive, send)

    def _hear_home(self, scope: Scope, shown: str) -> None:
        address = value(scope["headers"], _TOLD)
        if address and hmac.compare_digest(shown.encode("latin-1"), self._expected):
            scope["client"] = (address, 0)
        scope["headers"] = [header for header in scope["headers"] if header[0].lower() != _HEADER]

    def _hear_other(self, scope: Scope, cluster: str) -> None:
        shown = value(scope["headers"], b"authorization").encode("latin-1")
        if not hmac.compare_digest(shown, self._others[cluster]):
            return
        if address := value(scope["headers"], ADDRESS.lower().encode()):
            scope["client"] = (address, 0)
        host = value(scope["headers"], HOST.lower().encode())
        if host.partition(":")[0].lower().endswith(f".{self._domains[cluster]}"):
            others = [header for header in scope["headers"] if header[0].lower() != b"host"]
            scope["headers"] = [*others, (b"host", host.encode("latin-1"))]

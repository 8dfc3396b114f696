"""Connections to environments: kept alive for each upstream, and closed when it has not been used for long."""

from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import BaseConnector, ClientSession, ClientTimeout, DummyCookieJar, TCPConnector, UnixConnector

MOST = 256
"""Upstreams whose connections are kept; beyond that the one unused for longest is closed."""
KEPT_ALIVE = 3.0
"""Seconds. Shorter than the five of an environment's server, which would otherwise close first."""
CONNECT = 5.0
"""Seconds."""

_UNIX = "unix:"
_OURS = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")


@dataclass
class _Pool:
    session: ClientSession
    base: str
    uses: int = 0


class Upstreams:
    """To be used within one event loop."""

    def __init__(self) -> None:
        self._pools: OrderedDict[str, _Pool] = OrderedDict()

    @asynccontextmanager
    async def use(self, upstream: str) -> AsyncIterator[tuple[ClientSession, str]]:
        """A client for `unix:/path` or `address:port`, and what its addresses begin with."""
        pool = self._pools.get(upstream)
        if pool is None:
            pool = self._pools[upstream] = _pool(upstream)
        self._pools.move_to_end(upstream)
        pool.uses += 1
        try:
            yield pool.session, pool.base
        finally:
            pool.uses -= 1
            if len(self._pools) > MOST:
                await self._drop_oldest()

    async def close(self) -> None:
        while self._pools:
            await self._pools.popitem()[1].session.close()

    async def _drop_oldest(self) -> None:
        for upstream, pool in self._pools.items():
            if pool.uses == 0:
                del self._pools[upstream]
                await pool.session.close()
                return


def _pool(upstream: str) -> _Pool:
    session = ClientSession(
        connector=_connector(upstream),
        cookie_jar=DummyCookieJar(),
        auto_decompress=False,
        skip_auto_headers=_OURS,
        timeout=ClientTimeout(total=None, sock_connect=CONNECT),
        trust_env=False,
    )
    return _Pool(session, "http://environment" if upstream.startswith(_UNIX) else f"http://{upstream}")


def _connector(upstream: str) -> BaseConnector:
    if upstream.startswith(_UNIX):
        return UnixConnector(upstream.removeprefix(_UNIX), limit=0, keepalive_timeout=KEPT_ALIVE)
    return TCPConnector(limit=0, keepalive_timeout=KEPT_ALIVE)

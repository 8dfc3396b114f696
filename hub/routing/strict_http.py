"""Uvicorn's HTTP parser, with the request line checked and small answers sent at once.

An ASGI scope no longer shows whether a target was a whole address (`GET http://elsewhere/…`), had
a fragment or no slash at all, so that is refused here, with 400. And asyncio turns Nagle's delay
off only for sockets that say they are TCP, which Uvicorn's do not: each small answer on a
kept-alive connection would come 40 ms late. And who opens a connection and asks nothing does not
keep it: there are only so many.
"""

import asyncio
import socket

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from hub.routing.targets import is_refused

SILENT_SECONDS = 20.0
"""How long a connection may be open before its first request has come; afterwards Uvicorn's own limit counts."""


class StrictHttp(HttpToolsProtocol):
    """For `uvicorn.Config(http=StrictHttp)`."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        connection = transport.get_extra_info("socket")
        if connection is not None and connection.family in {socket.AF_INET, socket.AF_INET6}:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._silent = asyncio.get_running_loop().call_later(SILENT_SECONDS, transport.close)
        super().connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._silent.cancel()
        super().connection_lost(exc)

    def on_headers_complete(self) -> None:
        self._silent.cancel()
        if is_refused(self.url):
            raise httptools.HttpParserInvalidURLError("a request target that no browser sends")
        super().on_headers_complete()

"""Uvicorn's HTTP parser, with the request line checked and small answers sent at once.

An ASGI scope no longer shows whether a target was a whole address (`GET http://elsewhere/…`), had
a fragment or no slash at all, so that is refused here, with 400. And asyncio turns Nagle's delay
off only for sockets that say they are TCP, which Uvicorn's do not: each small answer on a
kept-alive connection would come 40 ms late.
"""

import asyncio
import socket

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from hub.routing.targets import is_refused


class StrictHttp(HttpToolsProtocol):
    """For `uvicorn.Config(http=StrictHttp)`."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        connection = transport.get_extra_info("socket")
        if connection is not None and connection.family in {socket.AF_INET, socket.AF_INET6}:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().connection_made(transport)

    def on_headers_complete(self) -> None:
        if is_refused(self.url):
            raise httptools.HttpParserInvalidURLError("a request target that no browser sends")
        super().on_headers_complete()

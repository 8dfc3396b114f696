"""The TCP listener and uvicorn, with what `streamlit run` would have set.

The socket is made with the TCP protocol named: asyncio turns Nagle's algorithm off only then, and
with it on every small answer on a kept-alive connection waits 40 ms for the client's ACK.
"""

import asyncio
import errno
import logging
import socket
from contextlib import suppress

import uvicorn
from starlette.types import ASGIApp

from hub.errors import CannotStart
from hub.routing.strict_http import StrictHttp

BACKLOG = 2048
WEBSOCKET_PING_SECONDS = 30.0
WEBSOCKET_MAX_BYTES = 26 * 2**20
"""For one message of a browser's. Streamlit takes widget states of up to 25 MB and refuses what is larger."""
GRACE_SECONDS = 2


def listen(host: str, port: int) -> socket.socket:
    """A bound socket; the port of `getsockname` is the real one where `port` is 0. Raises `CannotStart`."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise CannotStart(f"Port {port} is taken by another program. End it, or choose another port with PORT.") from error
        raise CannotStart(f"Podium cannot listen on {host} port {port}: {error.strerror}. Check HOST and PORT.") from error
    return listener


def serve(app: ASGIApp, listener: socket.socket) -> None:
    """Serve in the foreground until SIGINT or SIGTERM."""
    config = uvicorn.Config(
        app,
        http=StrictHttp,
        ws="websockets-sansio",
        ws_max_size=WEBSOCKET_MAX_BYTES,
        ws_per_message_deflate=False,  # a small frame must not become a large one
        ws_ping_interval=WEBSOCKET_PING_SECONDS,
        ws_ping_timeout=WEBSOCKET_PING_SECONDS,
        access_log=False,
        log_level="warning",
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    _quiet()
    # uvicorn raises Ctrl-C once more when it has shut down; who started this goes on and says good-bye.
    with suppress(KeyboardInterrupt), asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        runner.run(uvicorn.Server(config).serve(sockets=[listener]))


def _quiet() -> None:
    """No line for each request: addresses hold one-time codes. Streamlit would turn them on again at its start."""
    logging.getLogger("uvicorn.access").disabled = True
    logging.getLogger("uvicorn.error").addFilter(lambda record: record.levelno >= logging.WARNING)

"""A server that stands where an environment's own would: quick to start, and it does what a test tells it.

It answers the health question as `environment.server` does, and runs the Python code of a POST to `/run` in its process.
The variable AT_START holds code that runs before it listens.
"""

import os
import socket
import socketserver
from http.server import BaseHTTPRequestHandler
from typing import Any

from environment.listener import listen
from environment.spec import ServerSpec


class Handler(BaseHTTPRequestHandler):
    spec: ServerSpec

    def do_GET(self) -> None:
        self._answer('{"start": "' + self.spec.start_id + '"}')

    def do_POST(self) -> None:
        names: dict[str, Any] = {"spec": self.spec, "result": ""}
        exec(self.rfile.read(int(self.headers["Content-Length"])), names)
        self._answer(str(names["result"]))

    def _answer(self, text: str) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: Any) -> None:
        """Its output is the test's."""


class _Quiet:
    request_queue_size = 64

    def handle_error(self, *_: Any) -> None:
        """A caller that lost patience is no news."""


class SocketServer(_Quiet, socketserver.UnixStreamServer):
    """On one machine, with a socket that is bound already."""

    def __init__(self, listener: socket.socket) -> None:
        socketserver.BaseServer.__init__(self, listener.getsockname(), Handler)
        self.socket = listener
        self.server_activate()


class PortServer(_Quiet, socketserver.TCPServer):
    """In a pod."""


def serve(spec: ServerSpec) -> None:
    exec(os.environ.get("AT_START", ""), {"spec": spec})
    os.environ["WORKSPACE_DIR"] = str(spec.workspace)
    Handler.spec = spec
    if spec.socket is None:
        with PortServer((spec.host, spec.port or 0), Handler) as server:
            server.serve_forever()
    else:
        with listen(spec) as listener, SocketServer(listener) as server:
            server.serve_forever()

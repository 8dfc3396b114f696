"""A server that stands where an environment's own would: quick to start, and it does what a test tells it.

It answers the health question as `environment.server` does, and runs the Python code of a POST to `/run` in its process.
The variable AT_START holds code that runs before it listens.
"""

import os
import socketserver
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

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
    """On one machine."""


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
        Path(spec.socket).unlink(missing_ok=True)
        with SocketServer(str(spec.socket), Handler) as server:
            server.serve_forever()

"""Runs in a small pod that mounts one workspace: `size`, or `archive HASH`, which serves it once.

The size goes into the container's termination message. The archive goes to whoever shows the key
whose SHA-256 is HASH, over a connection to the pod's own address; then this ends. It comes in
chunks, so that one that was cut short can be told from a whole one.
"""

import hashlib
import hmac
import os
import socket
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

from hub.seam import crossing
from hub.spawners.files.archive import archive
from hub.spawners.files.size import size

_WORKSPACE = Path("/workspace")
_TERMINATION_MESSAGE = Path("/dev/termination-log")
PORT = 8080


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    expected = ""
    timeout = 60

    def do_GET(self) -> None:
        key = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if not hmac.compare_digest(hashlib.sha256(key.encode()).hexdigest(), self.expected):
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.send_header("Connection", "close")
        self.end_headers()
        for part in archive(_WORKSPACE):
            self.wfile.write(b"%x\r\n%b\r\n" % (len(part), part))
        self.wfile.write(b"0\r\n\r\n")
        self.server.served = True  # type: ignore[attr-defined]

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


def main(arguments: list[str]) -> int:
    if arguments == ["size"]:
        with crossing("write a size"):
            _TERMINATION_MESSAGE.write_text(str(size(_WORKSPACE)))
        return 0
    _, _Handler.expected = arguments
    address = os.environ["PODIUM_ADDRESS"]
    HTTPServer.address_family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with HTTPServer((address, PORT), _Handler) as server:
        server.served = False  # type: ignore[attr-defined]
        while not server.served:  # type: ignore[attr-defined]
            server.handle_request()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""The socket that an environment listens on.

A Unix socket that only its owner can open, or a TCP socket made with its protocol named: asyncio
turns delayed sending (Nagle) off only where the socket says that it is TCP, and without that each
small answer on a kept-alive connection comes 40 ms late.
"""

import os
import socket
import stat
from pathlib import Path

from environment.spec import ServerSpec

_OWNER_ONLY = 0o177


def listen(spec: ServerSpec) -> socket.socket:
    """Bound, not yet listening: nobody connects before the app is ready."""
    if spec.descriptor is not None:
        return socket.socket(fileno=spec.descriptor)
    if spec.socket is not None:
        return _unix(spec.socket)
    return _tcp(spec.host, spec.port or 0)


def _unix(path: Path) -> socket.socket:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.exists() and stat.S_ISSOCK(path.stat().st_mode):
        path.unlink()
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(_OWNER_ONLY)
    try:
        listener.bind(str(path))
    except OSError:
        listener.close()
        raise
    finally:
        os.umask(before)
    return listener


def _tcp(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except OSError:
        listener.close()
        raise
    return listener

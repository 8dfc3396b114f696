"""Where the agent listens, and the lock that makes it the only one to do so for its data folder."""

import contextlib
import fcntl
import os
import socket
from typing import IO

from hub.seam import crossing
from hub.spawners.local.folders import Folders

_BACKLOG = 1024


def claim(folders: Folders) -> IO[str] | None:
    """The lock that makes this the only agent of the data folder, or None where there is one."""
    with crossing("make the agent's lock"):
        lock = folders.agent_lock.open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        return None
    return lock


def listen(folders: Folders) -> socket.socket:
    """The socket is only reachable through the runtime folder, which nobody else may enter."""
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        with crossing("bind the agent's socket"):
            folders.agent_socket.unlink(missing_ok=True)  # of a dead agent: this one holds the lock
            bound.bind(str(folders.agent_socket))
            if folders.group is not None:
                os.chown(folders.agent_socket, -1, folders.group)
                folders.agent_socket.chmod(0o660)
    finally:
        os.umask(before)
    bound.listen(_BACKLOG)
    return bound


def remove_socket(folders: Folders) -> None:
    """And the runtime folder, where no environment is left that has its socket there."""
    with crossing("remove the agent's socket"), contextlib.suppress(OSError):
        folders.agent_socket.unlink()
        folders.shared_secret.unlink(missing_ok=True)
        folders.runtime.rmdir()

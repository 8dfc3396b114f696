"""Where sockets lie: in a folder with a short path of its own, whatever the depth of the data folder.

A Unix socket's path ends at 107 bytes. The folder is in `/tmp` unless the person's `/run/user` stays after logout (lingering):
environments outlive a login, and their sockets must too.
"""

import hashlib
import os
import pwd
from pathlib import Path

from hub.errors import CannotStart

_LONGEST = 64
"""Leaves room for `/<32 digits>/s` below the 107 bytes of a socket's path, with some to spare."""


def runtime_of(data: Path, chosen: Path | None) -> Path:
    """The one that is chosen, or one for this data folder. Raises `CannotStart` where its path is too long."""
    runtime = (chosen or _default(data)).absolute()
    if len(os.fsencode(runtime)) > _LONGEST:
        raise CannotStart(
            f"The runtime folder {runtime} has too long a path for sockets: set RUNTIME_DIR to one of at most "
            f"{_LONGEST} characters."
        )
    return runtime


def _default(data: Path) -> Path:
    mark = hashlib.sha256(os.fsencode(data.resolve())).hexdigest()[:12]
    user = Path(f"/run/user/{os.getuid()}")
    if _lingers() and os.access(user, os.W_OK):
        return user / f"podium-{mark}"
    return Path(f"/tmp/podium-{os.getuid()}-{mark}")  # noqa: S108 (its owner and mode are checked before use)


def _lingers() -> bool:
    try:
        return Path("/var/lib/systemd/linger", pwd.getpwuid(os.getuid()).pw_name).exists()
    except (KeyError, OSError):
        return False

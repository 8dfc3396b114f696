"""Namespaces of its own for this process: what has no name there can neither be opened nor signalled.

See namespaces(7) and user_namespaces(7).
"""

import os
from contextlib import suppress
from pathlib import Path

from environment.confining.kernel import libc

MOUNTS, PROCESSES = 0x00020000, 0x20000000
_USER = 0x10000000
_COUNTED = Path("/proc/sys/user")
"""How many namespaces and watchers of files the account may have, in this user namespace and below."""
_MOST = 32


def unshare(kinds: int, *, as_root: bool) -> bool:
    """Whether it was possible; call it in a process of one thread.

    Who lacks the right gets it in a user namespace, a container's root among them. `as_root`: not so, because an account that
    is taken on later would be unknown there.
    """
    if libc.unshare(kinds) == 0:
        return True
    if as_root:
        return False
    user, group = os.geteuid(), os.getegid()
    if libc.unshare(_USER | kinds) != 0:
        return False
    try:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    except OSError:
        return False  # some distributions give such a namespace no rights
    with suppress(OSError):  # a container may forbid to write there
        _limit()
    return True


def _limit() -> None:
    """All that is made below counts for the account too, which others share: nobody takes all that it may have."""
    for path in (*_COUNTED.glob("max_*_namespaces"), _COUNTED / "max_inotify_instances"):
        path.write_text(str(_MOST))

"""What the agent's process may do here: root is not root everywhere. Asked once, while it has one thread."""

import ctypes
import os
from collections.abc import Callable, Iterable
from functools import cache, partial
from pathlib import Path

from hub.seam import crossing
from hub.spawners.local.accounts import Range

_NEEDED = {"CHOWN": 0, "KILL": 5, "SETGID": 6, "SETUID": 7}
"""Capabilities, by their numbers."""
_TRACE = 19
_NEW_MOUNTS = 0x00020000


def hindrance_to_accounts(numbers: Range, needed: Iterable[Path]) -> str:
    """Why this process cannot hand out accounts, as a clause; empty where it can.

    `needed` is what environments read, and folders that they go through.
    """
    if missing := [name for name, bit in _NEEDED.items() if not _holds(bit)]:
        return f"root lacks {', '.join(missing)} here"
    if not all(_is_mapped(numbers, Path(f"/proc/self/{kind}_map")) for kind in ("uid", "gid")):
        return "this container has no such accounts: choose others with ENVIRONMENT_UIDS"
    if may_hide_folders():
        return ""
    wanted = [(path, os.X_OK if path.is_dir() else os.R_OK) for path in needed]
    closed = _asked_as(numbers.first, partial(_closed, wanted))
    return f"{closed} is closed to other accounts" if closed else ""


def may_look_into_others() -> bool:
    """Whether this process may read what the kernel knows of other accounts' processes."""
    return _holds(_TRACE)


@cache
def may_hide_folders() -> bool:
    """Whether an environment can have a root folder of its own, in which only what it may reach has a name."""
    return not _asked_as(os.geteuid(), _cannot_unshare)


def _cannot_unshare() -> str:
    return "" if ctypes.CDLL(None).unshare(_NEW_MOUNTS) == 0 else "it is refused"


def _closed(wanted: Iterable[tuple[Path, int]]) -> str:
    return next((str(path) for path, right in wanted if not os.access(path, right)), "")


def _asked_as(account: int, question: Callable[[], str]) -> str:
    """What `question` says in a process of that account. Call it while this process has one thread."""
    reading, writing = os.pipe()
    with crossing("ask as another account"):
        asked = os.fork()
    if asked == 0:
        try:
            if account != os.geteuid():
                os.setgroups([])
                os.setresgid(account, account, account)
                os.setresuid(account, account, account)
            os.write(writing, question().encode())
        finally:
            os._exit(0)
    os.close(writing)
    with open(reading, "rb") as answer:  # noqa: PTH123 (a descriptor)
        said = answer.read().decode()
    os.waitpid(asked, 0)
    return said


def _holds(capability: int) -> bool:
    lines = Path("/proc/self/status").read_text().splitlines()
    held = next(line.partition(":")[2] for line in lines if line.startswith("CapEff:"))
    return bool(int(held, 16) >> capability & 1)


def _is_mapped(numbers: Range, table: Path) -> bool:
    rows = [list(map(int, line.split())) for line in table.read_text().splitlines()]
    return any(inside <= numbers.first and numbers.last < inside + count for inside, _, count in rows)

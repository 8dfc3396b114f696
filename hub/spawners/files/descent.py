"""Looks at all that a hostile folder holds: also at what its owner has closed (`chmod 000`), and at any depth.

A size that could be hidden by closing a folder would hold nobody. So what is closed is opened for the look and closed again
behind it, by its owner, who is whoever looks. A look that is killed in the middle leaves it open, to that same owner.

One folder is open at a time, whatever the depth: `..` leads back, and where it leads elsewhere by now, since somebody has moved
the folder that is open, the look ends. Kept in memory are the names of the folders that are still to be looked into, beside
and above the open one.
"""

import contextlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from hub.seam import crossing

_NAMED = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_LISTED = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_OPEN = stat.S_IRUSR | stat.S_IXUSR
_GONE_OR_FOREIGN = (FileNotFoundError, NotADirectoryError, PermissionError)


@dataclass
class _Level:
    """One folder on the way down. `closed` is the mode that it gets back, None where it was open."""

    identity: tuple[int, int]
    closed: int | None
    waiting: list[str] = field(default_factory=list)


def look(top: Path) -> Iterator[os.stat_result]:
    """The status of everything below `top`; nothing where that does not exist or is no folder.

    A folder of another account's, or on a file system that takes no changes, which is closed besides, keeps what it holds to
    itself; no environment can make one. Raises OSError where the disk, or this process, has a fault.
    """
    try:
        descent = _Descent(top)
    except (FileNotFoundError, NotADirectoryError):
        return
    try:
        yield from descent.everything()
    finally:
        descent.end()


class _Descent:
    def __init__(self, top: Path) -> None:
        self._folder = os.open(top, _NAMED)
        self._levels = [_opened(self._folder)]

    def everything(self) -> Iterator[os.stat_result]:
        yield from self._listing()
        while self._levels:
            if not self._levels[-1].waiting:
                self._go_up()
            elif self._went_down(self._levels[-1].waiting.pop()):
                yield from self._listing()

    def end(self) -> None:
        """Close again what was opened. Call it however the look has ended."""
        while self._levels:
            self._go_up()

    def _listing(self) -> Iterator[os.stat_result]:
        """All that the open folder holds; the folders among it are to be looked into next."""
        try:
            listed = os.open(".", _LISTED, dir_fd=self._folder)
        except _GONE_OR_FOREIGN:
            return
        try:
            with os.scandir(listed) as entries:
                for entry in entries:
                    with contextlib.suppress(*_GONE_OR_FOREIGN):
                        yield self._seen(entry)
        finally:
            os.close(listed)

    def _seen(self, entry: os.DirEntry[str]) -> os.stat_result:
        status = entry.stat(follow_symlinks=False)
        if stat.S_ISDIR(status.st_mode):
            self._levels[-1].waiting.append(entry.name)
        return status

    def _went_down(self, name: str) -> bool:
        try:
            below = os.open(name, _NAMED, dir_fd=self._folder)
        except _GONE_OR_FOREIGN:
            return False
        os.close(self._folder)
        self._folder = below
        self._levels.append(_opened(below))
        return True

    def _go_up(self) -> None:
        """Or end here, where the person has moved this folder elsewhere meanwhile."""
        left = self._levels.pop()
        above: int | None = None
        try:
            above = self._above() if self._levels else None
        finally:
            _close_again(self._folder, left)
            os.close(self._folder)
            if above is None:
                self._levels.clear()
            else:
                self._folder = above

    def _above(self) -> int | None:
        try:
            above = os.open("..", _NAMED, dir_fd=self._folder)
        except _GONE_OR_FOREIGN:
            return None
        if _identity(os.fstat(above)) == self._levels[-1].identity:
            return above
        os.close(above)
        return None


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def _opened(folder: int) -> _Level:
    """Its owner may list it from now on, and go through it."""
    status = os.fstat(folder)
    mode = stat.S_IMODE(status.st_mode)
    if mode & _OPEN == _OPEN:
        return _Level(_identity(status), None)
    with contextlib.suppress(OSError):
        _change(folder, mode | _OPEN)
    return _Level(_identity(status), mode)


def _close_again(folder: int, level: _Level) -> None:
    """Unless its person has changed the mode meanwhile."""
    if level.closed is not None and stat.S_IMODE(os.fstat(folder).st_mode) == level.closed | _OPEN:
        with contextlib.suppress(OSError):
            _change(folder, level.closed)


def _change(folder: int, mode: int) -> None:
    with crossing("open a closed folder for a look, or close it again"):
        os.chmod(f"/proc/self/fd/{folder}", mode)  # noqa: PTH101 (a descriptor, not a path)

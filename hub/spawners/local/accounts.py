"""An account of its own for each workspace, where the agent was started by root.

The owner of the workspace's folder is the record: nothing else has to be kept, backed up or agreed on. An account is a number
that nobody logs in with, out of a range that the settings name, and is given anew only where no file of it is left.
"""

import contextlib
import logging
import os
import pwd
import secrets
import stat
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hub.errors import CannotStart
from hub.seam import crossing
from hub.spawners.files.tree import Entry, walk
from hub.spawners.local import as_owner
from hub.spawners.local.folders import Folders
from hub.spawners.local.spans import span_of

log = logging.getLogger(__name__)

_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108
_PRIVATE = 0o700
_HIGHEST = 2**31 - 1
"""Of numbers that every program takes for an account's."""


@dataclass(frozen=True)
class Range:
    """Both ends belong to it."""

    first: int
    last: int

    def __contains__(self, number: int) -> bool:
        return self.first <= number <= self.last

    def __len__(self) -> int:
        return self.last - self.first + 1

    def random(self) -> int:
        """Another Podium of this machine, with the same range, hardly ever comes to the same one."""
        return self.first + secrets.randbelow(len(self))

    def following(self, number: int) -> int:
        """The last one is followed by the first."""
        return number + 1 if number < self.last else self.first


class Accounts:
    """Safe to share between threads."""

    def __init__(self, numbers: Range, folders: Folders) -> None:
        self._numbers, self._folders = numbers, folders
        self._lock = threading.Lock()
        self._taken: set[int] | None = None
        """Also those whose files have gone since: they are given anew by the next agent."""

    def settle(self, workspace: Path) -> None:
        """The folder, and all in it, belongs to an account that nothing else belongs to. Raises OSError."""
        found = workspace.lstat()
        if found.st_uid not in self._numbers:
            self._hand_over(workspace, self._free())
        elif stat.S_IMODE(found.st_mode) != _PRIVATE:
            as_owner.close_to_others(workspace)

    def of(self, workspace: Path) -> int | None:
        """The account that is this workspace's alone; None where it has none."""
        with contextlib.suppress(FileNotFoundError):
            owner = workspace.lstat().st_uid
            return owner if owner in self._numbers else None
        return None

    def _free(self) -> int:
        with self._lock:
            if self._taken is None:
                self._taken = {owner for owner in self._owners() if owner in self._numbers}
            if len(self._taken) >= len(self._numbers):
                raise OSError(0, "all numbers of ENVIRONMENT_UIDS are taken")
            number = self._numbers.random()
            while number in self._taken:
                number = self._numbers.following(number)
            self._taken.add(number)
            return number

    def _owners(self) -> Iterator[int]:
        """Whoever owns something that an environment can have made."""
        folders = self._folders
        found = (path for folder in (folders.workspaces, folders.trash, _SHARED_MEMORY) for path in folder.iterdir())
        for path in (*found, *folders.starts.glob("*/tmp"), *folders.trash.glob("*/tmp")):
            with contextlib.suppress(FileNotFoundError):  # what is in the trash goes meanwhile
                yield path.lstat().st_uid

    def _hand_over(self, workspace: Path, number: int) -> None:
        """The folder itself last: where this is cut short, it is begun anew with another number."""
        with crossing("hand a workspace over"):
            for entry in _that_may_change_hands(workspace):
                os.chown(entry.name, number, number, dir_fd=entry.parent, follow_symlinks=False)
            workspace.chmod(_PRIVATE)
            os.chown(workspace, number, number, follow_symlinks=False)


def _that_may_change_hands(workspace: Path) -> Iterator[Entry]:
    """All but a file that has another name outside: it may be anybody's."""
    named = Counter((entry.status.st_dev, entry.status.st_ino) for entry in walk(workspace) if _has_names(entry))
    for entry in walk(workspace):
        if _has_names(entry) and named[entry.status.st_dev, entry.status.st_ino] < entry.status.st_nlink:
            log.warning("%s stays as it is: it has another name outside its workspace", workspace / entry.path)
        else:
            yield entry


def _has_names(entry: Entry) -> bool:
    return entry.status.st_nlink > 1 and not stat.S_ISDIR(entry.status.st_mode)


def uids_of(text: str) -> Range:
    """Raises `CannotStart` for what is no range, or where a person of this machine has a number in it."""
    span = span_of(text, 1, _HIGHEST)
    if span is None:
        raise CannotStart(f"ENVIRONMENT_UIDS is to be first-last, two numbers of accounts, and is {text!r}.")
    numbers = Range(*span)
    if people := next((entry.pw_name for entry in pwd.getpwall() if entry.pw_uid in numbers), None):
        raise CannotStart(f"ENVIRONMENT_UIDS={text} holds the number of {people}. Choose a range of nobody's.")
    return numbers

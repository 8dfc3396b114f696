"""Walks and deletes folders whose contents are hostile: links, pipes, devices, thousands of levels, anything renamed meanwhile.

Every step names an entry relative to an open folder and never follows a link, so what a person
puts into a workspace leads nowhere else, whoever runs the agent.
"""

import contextlib
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hub.seam import crossing

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
DEEPEST = 100
"""Levels that a walk goes down; deeper ones are named as left out. Deletion has no such limit."""


_UNKNOWN = os.stat_result([0] * 10)


@dataclass(frozen=True)
class Entry:
    """One thing below the top. `name` is relative to the open folder `parent`, which stays open until the next entry."""

    path: str
    name: str
    parent: int
    status: os.stat_result
    left_out: str = ""
    """Why nothing below it, or nothing of it, can be read; empty where it can."""


def walk(top: Path) -> Iterator[Entry]:
    """Everything below `top`, folders before what they hold. Nothing where `top` does not exist or is no folder."""
    try:
        descriptor = os.open(top, _FOLDER)
    except OSError:
        return
    try:
        yield from _walk(descriptor, "", 0)
    finally:
        os.close(descriptor)


def _walk(folder: int, prefix: str, depth: int) -> Iterator[Entry]:
    with os.scandir(folder) as entries:
        for found in entries:
            try:
                status = found.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue
            except OSError as error:
                yield Entry(prefix + found.name, found.name, folder, _UNKNOWN, error.strerror or "cannot be looked at")
                continue
            yield from _visit(folder, found.name, prefix, status, depth)


def _visit(folder: int, name: str, prefix: str, status: os.stat_result, depth: int) -> Iterator[Entry]:
    path = prefix + name
    if not stat.S_ISDIR(status.st_mode):
        yield Entry(path, name, folder, status)
        return
    if depth >= DEEPEST:
        yield Entry(path, name, folder, status, f"more than {DEEPEST} folders deep")
        return
    try:
        below = os.open(name, _FOLDER, dir_fd=folder)
    except OSError as error:
        yield Entry(path, name, folder, status, error.strerror or "cannot be opened")
        return
    try:
        yield Entry(path, name, folder, status)
        yield from _walk(below, f"{path}/", depth + 1)
    finally:
        os.close(below)


def delete(name: str, trash: int) -> None:
    """Delete the entry `name` of the open folder `trash`. May be cut short anywhere and called again.

    A folder inside it is moved up to `trash` first and deleted on its own, so that no path grows
    long and no depth matters; `empty` deletes what an earlier call has moved up.
    """
    with crossing("delete from the trash"):
        if not _is_folder(name, trash):
            os.unlink(name, dir_fd=trash)
            return
        _unlock(name, trash)
        with _opened(name, trash) as folder:
            for below in os.listdir(folder):  # noqa: PTH208 (a descriptor, not a path)
                if _is_folder(below, folder):
                    _unlock(below, folder)
                    os.rename(below, f"below-{secrets.token_hex(8)}", src_dir_fd=folder, dst_dir_fd=trash)
                else:
                    os.unlink(below, dir_fd=folder)
        os.rmdir(name, dir_fd=trash)


def empty(trash: Path) -> list[str]:
    """Delete all that is in the folder; what could not be deleted, as sentences."""
    descriptor = os.open(trash, _FOLDER)
    faults: dict[str, str] = {}
    try:
        while names := [name for name in os.listdir(descriptor) if name not in faults]:  # noqa: PTH208 (the same)
            for name in names:
                try:
                    delete(name, descriptor)
                except OSError as error:
                    faults[name] = f"{trash / name} cannot be deleted: {error.strerror}"
    finally:
        os.close(descriptor)
    return list(faults.values())


@contextmanager
def _opened(name: str, parent: int) -> Iterator[int]:
    descriptor = os.open(name, _FOLDER, dir_fd=parent)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _is_folder(name: str, parent: int) -> bool:
    return stat.S_ISDIR(os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode)


def _unlock(name: str, parent: int) -> None:
    """A folder without write permission can be neither emptied nor moved, by its owner neither."""
    if os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode & stat.S_IRWXU == stat.S_IRWXU:
        return
    descriptor = os.open(name, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
    try:
        with crossing("unlock a folder"), contextlib.suppress(OSError):
            os.chmod(f"/proc/self/fd/{descriptor}", 0o700)  # noqa: PTH101 (a descriptor, not a path)
    finally:
        os.close(descriptor)

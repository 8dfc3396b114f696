"""Reads and empties folders as the account that they belong to, in a process of its own.

Where environments have accounts of their own, an agent that runs as root needs no right over everybody's files, only the right
to look as somebody else. The processes are forked from one that has imported what they need and has one thread
(`multiprocessing`'s fork server). A folder of this account's own is read here and now.
"""

import ctypes
import json
import multiprocessing
import os
import stat
from collections.abc import Callable, Iterator
from functools import partial
from multiprocessing.connection import Connection
from multiprocessing.reduction import DupFd
from pathlib import Path
from typing import Any

from hub.seam import crossing
from hub.spawners.files import archive as archives
from hub.spawners.files import size as sizes
from hub.spawners.files.tree import empty
from hub.spawners.local import leftovers, processes

Job = Callable[[Path], Iterator[bytes]]

_libc = ctypes.CDLL(None)
_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload([__name__])
_DEEPEST = 3
"""Levels of Podium's own folders below which folders of others lie."""


def size(folder: Path) -> int:
    """Bytes on disk below the folder. Raises OSError where it cannot be told."""
    return int(_told(folder, _size))


def archive(folder: Path) -> Iterator[bytes]:
    """The parts of a tar.gz of everything below the folder. Raises OSError where it was cut short."""
    return _parts(folder, archives.archive)


def memory(folder: Path, pids: list[int]) -> int:
    """Bytes that processes of the folder's owner hold; others count for nothing."""
    return int(_told(folder, partial(_memory, pids)))


def end_marked(folder: Path, start_id: str, start: Path) -> int:
    """As `leftovers.end_marked`, among the processes of the folder's owner."""
    return int(_told(folder, partial(_end_marked, start_id, start)))


def close_to_others(folder: Path) -> None:
    """Whatever is done as the owner begins with that."""
    _told(folder, _nothing)


def clear(folder: Path) -> list[str]:
    """Delete all that is in a folder of ours, folders of others included; what could not be deleted, as sentences."""
    faults = [fault for found in _of_others(folder, _DEEPEST) for fault in remove(found)]
    return faults + empty(folder)


def remove(folder: Path) -> list[str]:
    """A folder with all that is in it, whoever owns it, or what stands in its place; what stays, as sentences."""
    is_folder = stat.S_ISDIR(folder.lstat().st_mode)
    faults: list[str] = _told(folder, _empty) if is_folder else []
    if not faults:
        with crossing("remove a folder"):
            folder.rmdir() if is_folder else folder.unlink()
    return faults


def _told(folder: Path, job: Job) -> Any:
    return json.loads(b"".join(_parts(folder, job)))


def _parts(folder: Path, job: Job) -> Iterator[bytes]:
    """Nothing but what `job` says of an empty folder where it does not exist."""
    try:
        descriptor = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        yield from job(folder)
        return
    try:
        owner = os.fstat(descriptor).st_uid
        yield from job(folder) if owner == os.geteuid() else _as(owner, descriptor, job)
    finally:
        os.close(descriptor)


def _as(owner: int, folder: int, job: Job) -> Iterator[bytes]:
    ours, theirs = _CONTEXT.Pipe(duplex=False)
    process = _CONTEXT.Process(target=_work, args=(owner, DupFd(folder), job, theirs), daemon=True)
    with ours:
        process.start()
        theirs.close()
        try:
            while part := ours.recv_bytes():
                yield part
        except EOFError as error:
            raise OSError(0, "what belongs to another account could not be read") from error
    process.join()


def _work(owner: int, folder: Any, job: Job, out: Connection) -> None:
    """An empty part is the end."""
    descriptor = folder.detach()
    look_as(owner)
    if stat.S_IMODE(os.fstat(descriptor).st_mode) != stat.S_IRWXU:
        with crossing("close a folder to others"):
            os.chmod(f"/proc/self/fd/{descriptor}", stat.S_IRWXU)  # noqa: PTH101 (a descriptor, not a path)
    os.fchdir(descriptor)
    for part in job(Path()):
        out.send_bytes(part)
    out.send_bytes(b"")


def look_as(account: int) -> None:
    """Files and what the kernel knows of processes show themselves as to that account, which may send no signal here.

    Real and saved account stay root's, and by those the kernel judges who may signal: an environment could halt a process of
    its own account, and whoever waits for it.
    """
    os.setgroups([])
    _libc.setfsgid(account)
    _libc.setfsuid(account)


def _size(top: Path) -> Iterator[bytes]:
    yield json.dumps(sizes.size(top)).encode()


def _memory(pids: list[int], _top: Path) -> Iterator[bytes]:
    yield json.dumps(processes.memory_of(pids)).encode()


def _end_marked(start_id: str, start: Path, _top: Path) -> Iterator[bytes]:
    yield json.dumps(leftovers.end_marked(start_id, start)).encode()


def _empty(top: Path) -> Iterator[bytes]:
    yield json.dumps(empty(top)).encode()


def _nothing(_top: Path) -> Iterator[bytes]:
    yield b"null"


def _of_others(folder: Path, levels: int) -> Iterator[Path]:
    """Folders that belong to others, in folders that are ours."""
    with os.scandir(folder) as entries:
        below = [entry for entry in entries if entry.is_dir(follow_symlinks=False)]
    for entry in below:
        if entry.stat(follow_symlinks=False).st_uid != os.geteuid():
            yield Path(entry)
        elif levels > 1:
            yield from _of_others(Path(entry), levels - 1)

"""A workspace as a tar.gz, streamed with little memory, whatever lies in it and whatever changes meanwhile.

Python's `tarfile` copies a file whole into its output and fails where the file shrinks under it, so
only its headers are used. Links are kept as links. Pipes, sockets and devices, and what cannot be
read, are left out and named in a list at the end of the archive.
"""

import os
import stat
import tarfile
import zlib
from collections.abc import Generator, Iterator
from pathlib import Path

from hub.spawners.files.tree import Entry, walk

LEFT_OUT = "NOT-IN-THIS-ARCHIVE.txt"
_CHUNK = 1024 * 1024
_BLOCK = 512
_GZIP = 31


def archive(top: Path) -> Iterator[bytes]:
    """The parts of a tar.gz of everything below `top`."""
    packed = zlib.compressobj(6, zlib.DEFLATED, _GZIP)
    for part in _tar(top):
        if out := packed.compress(part):
            yield out
    yield packed.flush()


def _tar(top: Path) -> Iterator[bytes]:
    left_out: list[str] = []
    for entry in walk(top):
        fault = entry.left_out or (yield from _member(entry))
        if fault:
            left_out.append(f"{entry.path}: {fault}\n")
    if left_out:
        yield from _text(LEFT_OUT, "".join(left_out))
    yield bytes(2 * _BLOCK)


def _member(entry: Entry) -> Generator[bytes, None, str]:
    """Yields the entry; returns why it is left out, or an empty text."""
    mode = entry.status.st_mode
    info = _info(entry)
    if stat.S_ISDIR(mode):
        info.type = tarfile.DIRTYPE
        yield _header(info)
    elif stat.S_ISLNK(mode):
        return (yield from _link(entry, info))
    elif stat.S_ISREG(mode):
        return (yield from _file(entry, info))
    else:
        return "no file, folder or link"
    return ""


def _link(entry: Entry, info: tarfile.TarInfo) -> Generator[bytes, None, str]:
    try:
        info.linkname = os.readlink(entry.name, dir_fd=entry.parent)
    except OSError as error:
        return error.strerror or "cannot be read"
    info.type = tarfile.SYMTYPE
    yield _header(info)
    return ""


def _file(entry: Entry, info: tarfile.TarInfo) -> Generator[bytes, None, str]:
    """As long as it was when it was opened: cut where it grew meanwhile, filled up with zeros where it shrank."""
    try:
        descriptor = os.open(entry.name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=entry.parent)
    except OSError as error:
        return error.strerror or "cannot be read"
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            return "replaced while the archive was made"
        info.size = status.st_size
        yield _header(info)
        yield from _content(descriptor, info.size)
    finally:
        os.close(descriptor)
    return ""


def _content(descriptor: int, size: int) -> Iterator[bytes]:
    missing = size
    while missing:
        part = _read(descriptor, min(_CHUNK, missing))
        yield part
        missing -= len(part)
    yield bytes(-size % _BLOCK)


def _read(descriptor: int, length: int) -> bytes:
    try:
        part = os.read(descriptor, length)
    except OSError:
        part = b""
    return part or bytes(length)


def _text(name: str, text: str) -> Iterator[bytes]:
    content = text.encode("utf-8", "surrogateescape")
    info = tarfile.TarInfo(name)
    info.size = len(content)
    yield _header(info)
    yield content + bytes(-len(content) % _BLOCK)


def _info(entry: Entry) -> tarfile.TarInfo:
    info = tarfile.TarInfo(entry.path)
    info.mode = stat.S_IMODE(entry.status.st_mode)
    info.mtime = int(entry.status.st_mtime)
    return info


def _header(info: tarfile.TarInfo) -> bytes:
    return info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")

"""Keeps the log of a start small while everything writes to it.

It is Podium's file, so no quota counts it for the environment, which has it open and may change how: its size, what lies
behind its end, and whether it appends. So the supervisor has it open on its own, and looks at what it takes of the disk, too.
"""

import contextlib
import os
from pathlib import Path

LARGEST = 4 * 1024 * 1024
KEPT = 1024 * 1024
_CUT = b"[the older part of this log was cut away]\n"
_BLOCK = 512
"""Bytes, whatever the file system: the unit of `st_blocks`."""


def become_output(path: Path) -> int:
    """Standard output and error of this process, and of its descendants, go to the log from here on.

    Returns a descriptor of it for `cut`. Descendants must not keep that one open.
    """
    nothing = os.open(os.devnull, os.O_RDONLY)
    log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for source, target in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(source, target)
    os.close(nothing)
    os.close(log)
    return os.open(path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)


def cut(log: int) -> None:
    """Keep only the end of a log that has grown too large. What is printed meanwhile may be lost, and on a full disk all."""
    with contextlib.suppress(OSError):
        held = os.fstat(log)
        if max(held.st_size, held.st_blocks * _BLOCK) <= LARGEST:
            return
        kept = os.pread(log, KEPT, max(0, held.st_size - KEPT))
        os.ftruncate(log, 0)  # frees what lies behind the end as well
        os.write(log, kept if len(kept) == held.st_size else _CUT + kept[kept.find(b"\n") + 1 :])

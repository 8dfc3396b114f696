"""Keeps the log of a start small. Everything writes to it in append mode, so it can be cut while in use."""

import os
from pathlib import Path

LARGEST = 4 * 1024 * 1024
KEPT = 1024 * 1024
_CUT = b"[the older part of this log was cut away]\n"


def become_output(path: Path) -> None:
    """Standard output and error of this process, and of its descendants, go to the log from here on."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    log = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    for source, target in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(source, target)
    os.close(nothing)
    os.close(log)


def cut() -> None:
    """Keep only the end of a log that has grown too large. What is printed during the cut may be lost."""
    size = os.fstat(1).st_size
    if size <= LARGEST:
        return
    kept = os.pread(1, KEPT, size - KEPT)
    os.ftruncate(1, 0)
    os.write(1, _CUT + kept[kept.find(b"\n") + 1 :])

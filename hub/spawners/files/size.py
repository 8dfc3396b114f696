"""How much of a disk a workspace takes."""

import stat
from pathlib import Path

from hub.spawners.files.descent import look

_SECTOR = 512
"""Bytes; the unit in which the kernel counts, whatever the file system's own blocks are."""


def size(top: Path) -> int:
    """Bytes on disk below `top`, in whole blocks, as quotas count; what has several names counts once. Raises OSError.

    So a file with holes counts what it takes, and neither many tiny files nor what a file has set aside are hidden.
    """
    total = 0
    seen: set[tuple[int, int]] = set()
    for status in look(top):
        if status.st_nlink > 1 and not stat.S_ISDIR(status.st_mode):
            if (status.st_dev, status.st_ino) in seen:
                continue
            seen.add((status.st_dev, status.st_ino))
        total += status.st_blocks * _SECTOR
    return total

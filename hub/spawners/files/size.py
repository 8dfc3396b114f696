"""How much of a disk a workspace takes."""

import stat
from pathlib import Path

from hub.spawners.files.tree import walk


def size(top: Path) -> int:
    """Bytes on disk below `top`: a file with holes counts what it takes, one with several names counts once."""
    total = 0
    seen: set[tuple[int, int]] = set()
    for entry in walk(top):
        status = entry.status
        if status.st_nlink > 1 and not stat.S_ISDIR(status.st_mode):
            if (status.st_dev, status.st_ino) in seen:
                continue
            seen.add((status.st_dev, status.st_ino))
        total += min(status.st_size, status.st_blocks * 512) if stat.S_ISREG(status.st_mode) else 0
    return total

"""The memory that environments may have together where nobody has set it: all but 1 GiB of what there is.

In a container that is what its control group leaves it. The machine's own numbers know nothing of that.
"""

import os
from pathlib import Path

_KEPT_FREE = 1024**3
_GROUP = Path("/sys/fs/cgroup")
_MOST = ("memory.max", "memory/memory.limit_in_bytes")
"""In version 2 and in version 1. A container sees its own group there, a machine that of everything, which has no limit."""


def memory_at_hand(group: Path = _GROUP) -> int:
    """In bytes, 0 where even what is kept free is not there."""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return max(0, min([machine, *_limits(group)]) - _KEPT_FREE)


def _limits(group: Path) -> list[int]:
    """None where the file says `max`; where there is no limit version 1 says a number that no machine reaches."""
    files = [group / name for name in _MOST]
    said = [file.read_text().strip() for file in files if file.exists()]
    return [int(text) for text in said if text.isdigit()]

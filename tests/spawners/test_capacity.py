"""How much memory environments may have together: the machine's, or what a container's limit leaves of it."""

from pathlib import Path

import psutil
import pytest

from hub.spawners.local.capacity import memory_at_hand

GIB = 1024**3
MACHINE = psutil.virtual_memory().total


def limited(group: Path, name: str, text: str) -> Path:
    """A stand-in for /sys/fs/cgroup in which a file says that."""
    (group / name).parent.mkdir(exist_ok=True)
    (group / name).write_text(f"{text}\n")
    return group


@pytest.mark.parametrize("name", ["memory.max", "memory/memory.limit_in_bytes"])
def test_a_container_s_limit_counts_where_it_is_the_smaller_one(tmp_path: Path, name: str) -> None:
    assert memory_at_hand(limited(tmp_path, name, str(GIB + 5))) == 5
    assert memory_at_hand(limited(tmp_path, name, str(GIB - 5))) == 0


@pytest.mark.parametrize(
    ("name", "text"),
    [("memory.max", "max"), ("memory.max", str(2 * MACHINE)), ("memory/memory.limit_in_bytes", "9223372036854771712")],
)
def test_without_a_limit_below_it_all_but_one_gib_of_the_machine_does(tmp_path: Path, name: str, text: str) -> None:
    assert memory_at_hand(tmp_path) == max(0, MACHINE - GIB)
    assert memory_at_hand(limited(tmp_path, name, text)) == max(0, MACHINE - GIB)

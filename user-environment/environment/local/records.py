"""The small files of a start's folder: written whole or not at all, whoever is killed when.

spec.json        written by the agent: what to run, how, and within which limits
stop.json        written by the agent: the start is to end (again), and why
lock             held while a supervisor lives, so that there are never two for one start
supervisor.json  who supervises, named for good by number, start time and boot; and the first process of its namespace
exit.json        how it ended
log              output of the server and its descendants
"""

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from environment.supervising.ended import Ended


def write_exit(folder: Path, ended: Ended) -> None:
    write(
        folder / "exit.json",
        {
            "why": ended.why,
            "at": datetime.now(UTC).isoformat(),
            "exit_code": ended.exit_code,
            "detail": ended.detail,
            "peak_memory": ended.peak_memory,
        },
    )


def write(path: Path, value: dict[str, Any]) -> None:
    """On the disk when this returns: a machine that loses power a moment later still has it."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        os.write(descriptor, json.dumps(value).encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    draft.rename(path)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read(path: Path) -> dict[str, Any] | None:
    """None where it does not exist."""
    try:
        value: dict[str, Any] = json.loads(path.read_text())
    except FileNotFoundError:
        return None
    return value

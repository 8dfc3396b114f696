"""Files written whole or not at all.

The bytes go to a part file beside the target, which takes the target's name when it is complete
and on disk. Whoever reads the target sees the old content or the new one, and after a crash at
most a hidden part file is left, which the next upload into the folder removes.
"""

import os
import secrets
import time
from pathlib import Path, PurePosixPath
from typing import Protocol

from .faults import WorkspaceFault, translated
from .workspace import PART_PREFIX, Workspace, proper_name

_CHUNK = 1 << 20
_ABANDONED_AFTER = 3600
_MOST_COPIES = 1000


class Readable(Protocol):
    def read(self, size: int = -1, /) -> bytes: ...


def save(workspace: Workspace, folder: str, name: str, source: Readable, *, replace: bool) -> str:
    """Write one file and give its path in the workspace.

    Where the name is taken and `replace` is false, the new file gets a number: `name (2).csv`.
    """
    name = proper_name(name)
    place = workspace.resolve(folder)
    if not place.is_dir():
        raise WorkspaceFault("The folder is gone. Open another one and upload again.")
    part = place / f"{PART_PREFIX}{secrets.token_hex(8)}.part"
    try:
        with translated():
            _remove_abandoned(place)
            _write(part, source)
            final = _put(part, place, name, replace=replace)
    finally:
        part.unlink(missing_ok=True)
    return str(PurePosixPath(folder, final))


def _write(part: Path, source: Readable) -> None:
    with part.open("xb") as target:
        while chunk := source.read(_CHUNK):
            target.write(chunk)
        target.flush()
        os.fsync(target.fileno())


def _put(part: Path, place: Path, name: str, *, replace: bool) -> str:
    if not replace:
        name = _reserve(place, name)
    part.replace(place / name)
    return name


def _reserve(place: Path, name: str) -> str:
    """Take the first free name by creating it, so that two uploads never get the same."""
    pure = PurePosixPath(name)
    for number in range(1, _MOST_COPIES):
        candidate = name if number == 1 else f"{pure.stem} ({number}){pure.suffix}"
        try:
            (place / candidate).open("xb").close()
        except FileExistsError:
            continue
        return candidate
    raise WorkspaceFault("There are too many files of that name; choose another one.")


def _remove_abandoned(place: Path) -> None:
    for part in place.glob(f"{PART_PREFIX}*.part"):
        if time.time() - part.stat().st_mtime > _ABANDONED_AFTER:
            part.unlink(missing_ok=True)

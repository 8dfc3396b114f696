"""The small files of JSON in which the agent keeps what it has to know after a restart."""

import contextlib
import json
import logging
import os
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from hub.seam import crossing

log = logging.getLogger(__name__)


def write_json(path: Path, value: Mapping[str, Any] | list[Any], *, name: str, lasting: bool = False) -> None:
    """Whole or not at all, whoever is killed when. `name` is the crossing's. Raises OSError.

    A machine that loses its power may keep it empty, or not at all, unless it is `lasting`: then this waits until it is on the
    disk, some 5 ms.
    """
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    with crossing(name):
        draft.write_text(json.dumps(value))
        if lasting:
            _sync(draft)
        draft.replace(path)
        if lasting:
            _sync(path.parent)


def _sync(path: Path) -> None:
    """A file or a folder."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_json(path: Path) -> Any:
    """None where it does not exist, or holds something else: a disk may lose what it was given just before the power went."""
    try:
        return json.loads(path.read_text())
    except FileNotFoundError:
        return None
    except ValueError:
        log.exception("%s holds no JSON: it counts as not there", path)
        return None


def append_line(path: Path, value: Mapping[str, Any], *, name: str) -> None:
    """One line of JSON at the end of a file; `read_lines` passes over one that was cut short."""
    with crossing(name), path.open("a") as file:
        file.write(json.dumps(value) + "\n")


def read_lines(path: Path) -> list[Any]:
    """Nothing where it does not exist; a line that holds no JSON is passed over."""
    try:
        lines = path.read_text(errors="replace").splitlines(keepends=True)
    except FileNotFoundError:
        return []
    return list(_whole(lines))


def _whole(lines: list[str]) -> Iterator[Any]:
    for line in lines:
        with contextlib.suppress(ValueError):
            if line.endswith("\n"):
                yield json.loads(line)

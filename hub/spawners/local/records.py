"""The small files of JSON in which the agent keeps what it has to know after a restart."""

import json
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hub.seam import crossing


def write_json(path: Path, value: Mapping[str, Any] | list[Any], *, name: str) -> None:
    """Whole or not at all, whoever is killed when. `name` is the crossing's."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    with crossing(name):
        draft.write_text(json.dumps(value))
        draft.replace(path)


def read_json(path: Path) -> Any:
    """None where it does not exist."""
    try:
        return json.loads(path.read_text())
    except FileNotFoundError:
        return None


def append_line(path: Path, value: Mapping[str, Any], *, name: str) -> None:
    """One line of JSON at the end of a file; `read_lines` passes over one that was cut short."""
    with crossing(name), path.open("a") as file:
        file.write(json.dumps(value) + "\n")


def read_lines(path: Path) -> list[Any]:
    """Nothing where it does not exist."""
    try:
        lines = path.read_text().splitlines(keepends=True)
    except FileNotFoundError:
        return []
    return [json.loads(line) for line in lines if line.endswith("\n")]

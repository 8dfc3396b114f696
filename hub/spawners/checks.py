"""What no spawner takes: ids that are none, and specs that could not run. Checked before anything is done with them."""

import re

from hub.errors import Invalid
from hub.spawners.base import StartSpec

_ID = re.compile(r"[0-9a-f]{32}")


def is_id(value: str) -> bool:
    return _ID.fullmatch(value) is not None


def checked_id(value: str) -> str:
    """The id itself; anything but 32 hex digits is refused before it becomes part of a path or a name."""
    if not is_id(value):
        raise Invalid("That is not an id of Podium's: ids have 32 hexadecimal digits.")
    return value


def checked_spec(spec: StartSpec) -> StartSpec:
    """The spec itself. Raises `Invalid`."""
    checked_id(spec.start_id)
    checked_id(spec.workspace_id)
    if spec.memory <= 0 or spec.cpu <= 0 or spec.processes <= 0:
        raise Invalid("A start needs memory, CPU and a number of processes above zero.")
    if any("\0" in text or "=" in name for name, text in spec.variables.items()) or not spec.keys:
        raise Invalid("A start needs a key to trust, and variables that a process can have.")
    return spec

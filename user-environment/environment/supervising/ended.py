"""How a start ended, as its supervisor saw it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Ended:
    """The words for `why` are those of the hub's spawner interface; `peak_memory` in bytes."""

    why: str
    detail: str = ""
    exit_code: int | None = None
    peak_memory: int | None = None

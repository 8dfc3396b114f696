"""TCP ports that environments may listen on: each start has some of its own, and reaches no others of this machine."""

from dataclasses import dataclass

from hub.errors import CannotStart
from hub.spawners.local.spans import span_of

EACH = 16
"""Ports that one start has."""
_LOWEST, _HIGHEST = 1024, 65_535


@dataclass(frozen=True)
class PortRange:
    """Both ends belong to it."""

    first: int
    last: int

    @property
    def blocks(self) -> int:
        return (self.last - self.first + 1) // EACH

    def block(self, number: int) -> tuple[int, int]:
        first = self.first + number * EACH
        return first, first + EACH - 1


class Ports:
    """Who has which. Lives in the agent's event loop."""

    def __init__(self, ports: PortRange | None) -> None:
        self._ports = ports
        self._given: dict[str, tuple[int, int]] = {}
        """The first and the last of each start."""

    def take(self, start_id: str) -> tuple[int, int] | None:
        """The first and the last that the start has from now on; None where none are handed out. Raises OSError.

        A start whose order could not be written asks again and again, and has no more than one block.
        """
        if self._ports is None:
            return None
        self.free(start_id)
        free = next(filter(self._is_free, map(self._ports.block, range(self._ports.blocks))), None)
        if free is None:
            raise OSError(0, f"all of ENVIRONMENT_PORTS are taken, {EACH} by each environment")
        self._given[start_id] = free
        return free

    def keep(self, start_id: str, given: tuple[int, int] | None) -> None:
        """What an earlier agent gave to a start, of whichever range: it need not lie as the blocks of this one do."""
        if given is not None:
            first, last = given
            self._given[start_id] = first, last

    def free(self, start_id: str) -> None:
        self._given.pop(start_id, None)

    def _is_free(self, block: tuple[int, int]) -> bool:
        return not any(first <= block[1] and block[0] <= last for first, last in self._given.values())


def ports_of(text: str) -> PortRange | None:
    """None for no text. Raises `CannotStart` for what is no range with room for one environment."""
    if not text:
        return None
    span = span_of(text, _LOWEST, _HIGHEST)
    if span is None:
        raise CannotStart(f"ENVIRONMENT_PORTS is to be first-last, two numbers from {_LOWEST} to {_HIGHEST}, and is {text!r}.")
    ports = PortRange(*span)
    if not ports.blocks:
        raise CannotStart(f"ENVIRONMENT_PORTS={text} has no room: each environment has {EACH} ports.")
    return ports


def outward_of(text: str) -> tuple[int, ...]:
    """Raises `CannotStart` for what is no list of ports."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not all(part.isdecimal() and 0 < int(part) <= _HIGHEST for part in parts):
        raise CannotStart(f"OUTWARD_PORTS is to be numbers of ports, separated by commas, and is {text!r}.")
    return tuple(map(int, parts))

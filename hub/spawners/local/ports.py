"""TCP ports that environments may listen on: each start has some of its own, and reaches no others of this machine."""

from dataclasses import dataclass

from hub.errors import CannotStart

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
        self._holders: dict[int, str] = {}

    def take(self, start_id: str) -> tuple[int, int] | None:
        """The first and the last that the start has from now on; None where none are handed out. Raises OSError.

        A start whose order could not be written asks again and again, and has no more than one block.
        """
        if self._ports is None:
            return None
        self.free(start_id)
        free = next((number for number in range(self._ports.blocks) if number not in self._holders), None)
        if free is None:
            raise OSError(0, f"all of ENVIRONMENT_PORTS are taken, {EACH} by each environment")
        self._holders[free] = start_id
        return self._ports.block(free)

    def keep(self, start_id: str, given: tuple[int, int] | None) -> None:
        """What an earlier agent gave to a start, of whichever range."""
        if self._ports is not None and given is not None:
            self._holders[(given[0] - self._ports.first) // EACH] = start_id

    def free(self, start_id: str) -> None:
        self._holders = {number: holder for number, holder in self._holders.items() if holder != start_id}


def range_of(text: str) -> PortRange | None:
    """None for no text. Raises `CannotStart` for what is no range with room for one environment."""
    if not text:
        return None
    first, _, last = text.partition("-")
    if not (first.isdecimal() and last.isdecimal() and _LOWEST <= int(first) <= int(last) <= _HIGHEST):
        raise CannotStart(f"ENVIRONMENT_PORTS is to be first-last, two numbers from {_LOWEST} to {_HIGHEST}, and is {text!r}.")
    ports = PortRange(int(first), int(last))
    if not ports.blocks:
        raise CannotStart(f"ENVIRONMENT_PORTS={text} has no room: each environment has {EACH} ports.")
    return ports


def outward_of(text: str) -> tuple[int, ...]:
    """Raises `CannotStart` for what is no list of ports."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not all(part.isdecimal() and 0 < int(part) <= _HIGHEST for part in parts):
        raise CannotStart(f"OUTWARD_PORTS is to be numbers of ports, separated by commas, and is {text!r}.")
    return tuple(map(int, parts))

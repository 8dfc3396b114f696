"""Cores of this machine that starts keep to, where no control group holds their CPU: each has as many as its preset says.

Every start is given some: whether its control group can be made, its supervisor finds out.
"""

import math
import os
import zlib
from collections import Counter
from collections.abc import Callable, Collection
from itertools import chain


def own_cores() -> Collection[int]:
    """Those that this process may use itself."""
    return os.sched_getaffinity(0)


class Cores:
    """Who has which. Lives in the agent's event loop.

    `name` is the Podium's, and says where it begins, so that several do not all crowd the first core. `usable`: out of which
    they are given. `all_there_are`: how many the machine has.
    """

    def __init__(self, name: str, usable: Callable[[], Collection[int]], all_there_are: int) -> None:
        self._beginning = zlib.crc32(os.fsencode(name))
        self._usable, self._all = usable, all_there_are
        self._holders: dict[str, list[int]] = {}

    def take(self, start_id: str, cpu: float) -> list[int] | None:
        """Those that the start keeps to from now on, which the fewest others have; None where it keeps to none.

        A start whose order could not be written asks again and again, and counts once.
        """
        self.free(start_id)
        cores = self._least_used(self._usable())[: math.ceil(cpu)]
        if len(cores) >= self._all:
            return None
        self._holders[start_id] = sorted(cores)
        return self._holders[start_id]

    def keep(self, start_id: str, given: list[int] | None) -> None:
        """What an earlier agent gave to a start."""
        if given is not None:
            self._holders[start_id] = given

    def free(self, start_id: str) -> None:
        self._holders.pop(start_id, None)

    def _least_used(self, usable: Collection[int]) -> list[int]:
        """All of them, those that the fewest starts have first."""
        ordered, taken = sorted(usable), Counter(chain.from_iterable(self._holders.values()))
        first = self._beginning % len(ordered)
        return sorted(ordered[first:] + ordered[:first], key=taken.__getitem__)

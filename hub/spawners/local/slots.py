"""Lets only a few starts at a time through their costly first moment.

Fifty servers that begin at once would share the cores with the agent, which would then take seconds
to accept the orders that come meanwhile; in turn, the first are ready at once and the last no later.
"""

import asyncio

_LONGEST_SECONDS = 2.0
"""A start that takes longer hinders nobody any more: its slot is given on."""


class Slot:
    """Given back when `free` is called, or by itself after a while."""

    def __init__(self, slots: asyncio.Semaphore) -> None:
        self._slots: asyncio.Semaphore | None = slots
        self._timer = asyncio.get_running_loop().call_later(_LONGEST_SECONDS, self.free)

    def free(self) -> None:
        self._timer.cancel()
        if self._slots is not None:
            self._slots.release()
            self._slots = None


class Slots:
    def __init__(self, number: int) -> None:
        self._free = asyncio.Semaphore(number)

    async def take(self) -> Slot:
        await self._free.acquire()
        return Slot(self._free)

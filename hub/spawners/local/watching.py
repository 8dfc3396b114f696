"""What somebody who watches all starts is told of them."""

import asyncio
import contextlib

from hub.spawners.base import Observation
from hub.spawners.local.start import Start


class Watcher:
    """Collects which starts have changed; many changes of one start are told once, with its latest state."""

    def __init__(self) -> None:
        self._changed: dict[str, Start] = {}
        self._news = asyncio.Event()

    def tell(self, start: Start) -> None:
        self._changed[start.id] = start
        self._news.set()

    async def changes(self, patience: float) -> list[Observation]:
        """What has changed since the last call, waited for; empty after `patience` seconds."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._news.wait(), patience)
        self._news.clear()
        changed, self._changed = self._changed, {}
        return [start.observation() for start in changed.values()]

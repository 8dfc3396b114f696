"""What a spawner was last seen to run: a copy in memory, kept fresh by `watch`, never the truth.

A thread follows the stream and goes on after each break. Until a stream has told everything
(`SYNCED`), what is missing here is unknown, not gone.
"""

import logging
import threading
from collections.abc import Callable, Iterable
from datetime import datetime

from hub.clock import now
from hub.errors import ClusterSilent
from hub.spawners.base import Observation, Spawner, Synced

log = logging.getLogger(__name__)

RETRY_SECONDS = 0.5


class Observed:
    """The observations of one spawner by start. Safe to share between threads."""

    def __init__(self, spawner: Spawner, wake: Callable[[], None]) -> None:
        self._spawner, self._wake = spawner, wake
        self._lock = threading.Lock()
        self._known: dict[str, Observation] = {}
        self._changed: dict[str, None] = {}
        self._unchecked: dict[str, Observation] = {}
        self.synced = False
        self.silent_since: datetime | None = None

    def follow(self, stopped: threading.Event) -> None:
        """Keep the copy fresh until `stopped`."""
        while not stopped.is_set():
            try:
                self._listen(stopped)
            except ClusterSilent:
                if self.silent_since is None:
                    log.warning("the spawner is silent; what it runs is unknown until it answers")
                self.silent_since = self.silent_since or now()
            self.synced = False
            stopped.wait(RETRY_SECONDS)

    def of(self, start_id: str | None) -> Observation | None:
        return self._known.get(start_id or "")

    def take_changed(self, limit: int) -> list[str]:
        """Starts that changed since they were last taken, at most `limit` of them."""
        with self._lock:
            taken = list(self._changed)[:limit]
            for start_id in taken:
                del self._changed[start_id]
            return taken

    def put_back(self, start_ids: Iterable[str]) -> None:
        """What was taken and could not be acted on."""
        with self._lock:
            self._changed.update(dict.fromkeys(start_id for start_id in start_ids if start_id))

    def skip_changed(self) -> None:
        with self._lock:
            self._changed.clear()

    def unchecked(self, limit: int) -> list[Observation]:
        """Observations that nobody has compared with the rows yet."""
        with self._lock:
            return list(self._unchecked.values())[:limit]

    def checked(self, item: Observation) -> None:
        with self._lock:
            if self._unchecked.get(item.start_id) == item:
                del self._unchecked[item.start_id]

    def recheck(self, start_id: str) -> None:
        """What is known of it is to be compared with the rows once more."""
        with self._lock:
            if item := self._known.get(start_id):
                self._unchecked[start_id] = item

    def drop(self, start_id: str) -> None:
        """Forget a start that the spawner was told to forget."""
        with self._lock:
            self._known.pop(start_id, None)
            self._unchecked.pop(start_id, None)

    def _listen(self, stopped: threading.Event) -> None:
        told: set[str] = set()
        for item in self._spawner.watch():
            if stopped.is_set():
                return
            if isinstance(item, Synced):
                self._drop_all_but(told)
                self.synced, self.silent_since = True, None
            else:
                told.add(item.start_id)
                self._take(item)
            self._wake()

    def _take(self, item: Observation) -> None:
        with self._lock:
            if self._known.get(item.start_id) != item:
                self._known[item.start_id] = item
                self._changed[item.start_id] = None
                self._unchecked[item.start_id] = item

    def _drop_all_but(self, told: set[str]) -> None:
        with self._lock:
            for start_id in self._known.keys() - told:
                del self._known[start_id]
                self._unchecked.pop(start_id, None)
                self._changed[start_id] = None

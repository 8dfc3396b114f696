"""All clusters at a glance. They are asked at the same time, each for as long as it takes, and nobody waits for a dead one.

What was heard is kept for `FRESH` seconds, so that a page that many look at costs a cluster a handful of
lists in that time, and none where nobody looks. A cluster that is being asked already is not asked again.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from threading import Event, Lock, Thread
from time import monotonic
from typing import Protocol

from hub.clock import now
from hub.clusters.inventory import Inventory
from hub.errors import CannotStart, Silent

log = logging.getLogger(__name__)

FRESH = 20.0
"""Seconds for which what was heard is not asked for again."""
PATIENCE = 4.0
"""Seconds for which a page waits for the slowest."""


class Source(Protocol):
    def inventory(self) -> Inventory:
        """Raises `ClusterSilent`."""


@dataclass(frozen=True)
class Shown:
    """How pages call a cluster, how it is asked, and where its services are."""

    name: str
    source: Callable[[], Source]
    """Called before each question until it succeeds; may raise `CannotStart`."""
    links: Mapping[str, str] = field(default_factory=dict)
    launches: bool = False
    """Whether this Podium launches environments there."""


@dataclass(frozen=True)
class ClusterView:
    """`inventory` is what was last heard, at `at`; None: nothing so far. `silent` says why nothing newer came."""

    id: str
    name: str
    links: Mapping[str, str]
    launches: bool
    inventory: Inventory | None
    at: datetime | None
    silent: str


class Overview:
    """Safe to share between threads."""

    def __init__(self, clusters: Mapping[str, Shown]) -> None:
        self._asked = {cluster_id: _Asked(shown) for cluster_id, shown in clusters.items()}

    def look(self) -> list[ClusterView]:
        """Every cluster, those where environments are launched first."""
        for asked in self._asked.values():
            asked.ask()
        for asked in self._asked.values():
            asked.wait()
        views = [asked.view(cluster_id) for cluster_id, asked in self._asked.items()]
        return sorted(views, key=lambda view: (not view.launches, view.name))

    def known(self, cluster_id: str) -> Inventory | None:
        """What was last heard of a cluster. Waits for nothing; what is old is asked for anew meanwhile."""
        asked = self._asked.get(cluster_id)
        if asked is None:
            return None
        asked.ask()
        return asked.view(cluster_id).inventory


class _Asked:
    """One cluster, and what was heard of it."""

    def __init__(self, shown: Shown) -> None:
        self._shown = shown
        self._lock = Lock()
        self._source: Source | None = None
        self._done = Event()
        self._done.set()
        self._heard: Inventory | None = None
        self._at: datetime | None = None
        self._silent = ""
        self._began = float("-inf")
        """When the last question was asked, on the monotonic clock."""
        self._until = float("-inf")
        """Up to when on the monotonic clock nothing is asked."""

    def ask(self) -> None:
        """Anew where what was heard is old."""
        with self._lock:
            if self._done.is_set() and monotonic() > self._until:
                self._done, self._began = Event(), monotonic()
                Thread(target=self._hear, args=(self._done,), name="inventory", daemon=True).start()

    def wait(self) -> None:
        """Until the question that is under way has been answered, at most `PATIENCE` from when it was asked."""
        self._done.wait(max(0.0, self._began + PATIENCE - monotonic()))

    def view(self, cluster_id: str) -> ClusterView:
        with self._lock:
            slow = "" if self._done.is_set() else f"It has not answered within {PATIENCE:.0f} seconds."
            shown = self._shown
            return ClusterView(cluster_id, shown.name, shown.links, shown.launches, self._heard, self._at, self._silent or slow)

    def _hear(self, done: Event) -> None:
        heard, why = self._inventory()
        with self._lock:
            if heard is None:
                self._source = None  # its credentials may have been renewed
            else:
                self._heard, self._at = heard, now()
            self._silent, self._until = why, monotonic() + FRESH
        done.set()

    def _inventory(self) -> tuple[Inventory | None, str]:
        try:
            self._source = self._source or self._shown.source()
            return self._source.inventory(), ""
        except Silent as error:
            log.warning("the cluster %s does not tell what it has: %s", self._shown.name, error.__cause__ or error.sentence)
            return None, "It does not answer."
        except CannotStart as error:
            log.warning("the cluster %s cannot be asked: %s", self._shown.name, error.sentence)
            return None, "Its credentials cannot be read. Tell an administrator."
        except Exception:
            log.exception("what the cluster %s told was not understood", self._shown.name)
            return None, "It told something that Podium does not understand. Tell an administrator."

"""A copy of all objects of one kind, kept fresh: one list, then a watch that goes on from where the last one ended.

The client library has an informer too. It starts anew at once after each fault, without a pause,
sets no deadline, asks for no bookmarks and makes typed models of thousands of pods
(docs/decisions/0013). Here a watch ends after `WATCH` seconds by itself and is resumed; a version
that the server no longer has (410) brings a new list; every other fault, what cannot be read included,
brings a pause that doubles up to `LONGEST_PAUSE`, for ever. What is missing from a copy that is not
`fresh` is unknown, not gone.
"""

import logging
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from hub.errors import ClusterSilent
from hub.spawners.kubernetes.api import Api
from hub.spawners.kubernetes.calls import Object, Refusal

log = logging.getLogger(__name__)

SHORTEST_PAUSE, LONGEST_PAUSE = 0.2, 30.0
"""Seconds."""
_GONE = 410
_OLD_LISTS = 6


@dataclass(frozen=True)
class Listener:
    """Whom an informer tells, in its own thread.

    `kept` is what of an object is worth its memory. `there` hears of each object that is new or
    changed, `gone` the last that was known of one, `turned` that `fresh` has changed.
    """

    kept: Callable[[Object], Object]
    there: Callable[[Object], None]
    gone: Callable[[Object], None]
    turned: Callable[[], None]


class Informer:
    """Run `run` in a thread of its own."""

    def __init__(self, api: Api, kind: str, selector: str, listener: Listener) -> None:
        self._api, self._kind, self._selector = api, kind, selector
        self._listener = listener
        self._objects: dict[str, Object] = {}
        self._version: str | None = None
        """From where the next watch goes on."""
        self._newest = 0
        self._old_lists = 0
        self._pause = SHORTEST_PAUSE
        self._said = ""
        """Why it could not be watched when that was last written to the log; empty since it could."""
        self.fresh = False
        """Whether everything is known, up to what is under way."""

    def run(self, stopped: threading.Event) -> None:
        while not stopped.is_set():
            try:
                if not self._listen():
                    self._version = None
                    stopped.wait(self._pause)
            except Refusal as refusal:
                if refusal.code == _GONE:
                    self._version = None
                    stopped.wait(self._pause)
                    continue
                self._wait(stopped, f"{refusal.reason}: {refusal.message}")
            except ClusterSilent as error:
                self._wait(stopped, f"no answer ({error.__cause__ or error.sentence})")
            except Exception as error:
                log.exception("what the cluster told of its %s is not understood", self._kind)
                self._version = None
                self._wait(stopped, f"not understood ({error!r})")

    def _listen(self) -> bool:
        """Whether anything was told. A server ends a watch with a bookmark, but for one of a version that it does not know."""
        if self._version is None:
            self._list()
        opened = partial(self._turn, fresh=True)
        heard = False
        for event in self._api.watch(self._kind, self._selector, self._version or "0", opened):
            heard = True
            self._hear()
            self._take(event)
        self._hear()
        return heard

    def _list(self) -> None:
        listed, version = self._api.list(self._kind, self._selector)
        self._believe(version)
        present = {_key(found) for found in listed}
        for gone in [known for key, known in self._objects.items() if key not in present]:
            self._drop(gone)
        for found in listed:
            self._put(found)
        self._version = version
        self._hear()

    def _believe(self, version: str) -> None:
        """Raises `ClusterSilent` for a list that is older than what was heard, as from a server that lags behind.

        Versions are numbers that grow (Kubernetes' KEP-5504). After a restore of the cluster they begin anew, so that an
        older list is believed when it has come `_OLD_LISTS` times.
        """
        self._old_lists = self._old_lists + 1 if int(version) < self._newest else 0
        if 0 < self._old_lists < _OLD_LISTS:
            raise ClusterSilent("It told an older state than before.")
        self._newest, self._old_lists = int(version), 0

    def _take(self, event: Object) -> None:
        found = event["object"]
        self._version = found["metadata"]["resourceVersion"]
        self._newest = max(self._newest, int(self._version or 0))
        if event["type"] in {"ADDED", "MODIFIED"}:
            self._put(found)
        elif event["type"] == "DELETED":
            self._drop(found)

    def _put(self, found: Object) -> None:
        with self._passing_over(found):
            kept = self._listener.kept(found)
            self._objects[_key(kept)] = kept
            self._listener.there(kept)

    def _drop(self, found: Object) -> None:
        self._objects.pop(_key(found), None)
        with self._passing_over(found):
            self._listener.gone(found)

    @contextmanager
    def _passing_over(self, found: Object) -> Iterator[None]:
        """An object that nobody foresaw must not end the news of all others."""
        try:
            yield
        except Exception:
            log.exception("the cluster's %s %s is not understood", self._kind, found["metadata"].get("name"))

    def _hear(self) -> None:
        self._pause = SHORTEST_PAUSE
        self._said = ""
        self._turn(fresh=True)

    def _wait(self, stopped: threading.Event, why: str) -> None:
        if why != self._said:
            log.warning("the cluster's %s cannot be watched: %s", self._kind, why)
        self._said = why
        self._turn(fresh=False)
        stopped.wait(self._pause * random.uniform(0.8, 1.2))  # noqa: S311 (spreads the load, guards nothing)
        self._pause = min(self._pause * 2, LONGEST_PAUSE)

    def _turn(self, *, fresh: bool) -> None:
        if self.fresh is not fresh:
            self.fresh = fresh
            self._listener.turned()


def _key(found: Object) -> str:
    """An object of the same name that was made anew is another one."""
    return f"{found['metadata']['name']}/{found['metadata']['uid']}"

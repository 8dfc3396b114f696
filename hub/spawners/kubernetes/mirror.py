"""A mirror of what runs in the namespace, kept fresh by informers, and everyone who wants to hear of changes.

Where an informer does not hear from the API server the mirror is not `fresh`: what it shows is not
known to be so any more, and questions raise `ClusterSilent`.
"""

import threading
from collections.abc import Callable, Iterator
from datetime import datetime
from time import monotonic

from hub.errors import ClusterSilent
from hub.spawners.base import SYNCED, Observation, Synced
from hub.spawners.kubernetes.api import Api
from hub.spawners.kubernetes.calls import Object
from hub.spawners.kubernetes.informer import Informer, Listener
from hub.spawners.kubernetes.kept import EVICTED, HINDERING, is_of_start, kept_of_event, kept_of_pod
from hub.spawners.kubernetes.parts import OURS
from hub.spawners.kubernetes.starts import Starts

_PATIENCE = 10.0
"""Seconds for which a caller waits until everything is known."""
_STREAM = 600.0
"""Seconds that one `watch` lasts."""
_HEARTBEAT = 5.0
_PULLED, _PULLING = "Pulled", "Pulling"


class Mirror:
    """Safe to share between threads. The informers begin with the first question."""

    def __init__(self, api: Api) -> None:
        self._news = threading.Condition()
        self._starts = Starts(self._tell)
        self._readers: dict[str, Object] = {}
        """The small pods that read volumes, by name."""
        self._listeners: list[dict[str, None]] = []
        self._stopped = threading.Event()
        self._threads: list[threading.Thread] = []
        self._informers = [
            Informer(api, "pods", OURS, Listener(kept_of_pod, self._pod_is, self._pod_went, self._tell_all)),
            Informer(api, "events", "", Listener(kept_of_event, self._event_is, _nothing, self._tell_all)),
        ]

    def close(self) -> None:
        self._stopped.set()
        self._tell_all()

    @property
    def fresh(self) -> bool:
        return all(informer.fresh for informer in self._informers)

    def observations(self) -> list[Observation]:
        """All starts. Raises `ClusterSilent` where they are not known."""
        with self._news:
            self._wait_until_fresh()
            return list(self._starts.seen.values())

    def watch(self) -> Iterator[Observation | Synced]:
        """Ends after a while, so that whoever listens drops what was forgotten meanwhile."""
        changed: dict[str, None] = {}
        with self._news:
            self._wait_until_fresh()
            self._listeners.append(changed)
            known = list(self._starts.seen.values())
        try:
            yield from known
            yield SYNCED
            ends = monotonic() + _STREAM
            while not self._stopped.is_set() and monotonic() < ends:
                yield from self._next(changed)
        finally:
            with self._news:
                self._listeners = [other for other in self._listeners if other is not changed]

    def pod_of(self, start_id: str) -> Object | None:
        """Raises `ClusterSilent` where it is not known what runs."""
        with self._news:
            self._wait_until_fresh()
            return self._starts.pods.get(start_id)

    def of(self, start_id: str) -> Observation | None:
        with self._news:
            return self._starts.seen.get(start_id)

    def order(self, start_id: str, workspace_id: str) -> bool:
        """Note an order; False where the start is known already, or its order is on its way."""
        with self._news:
            return self._starts.order(start_id, workspace_id)

    def order_is_through(self, start_id: str) -> None:
        with self._news:
            self._starts.order_is_through(start_id)

    def lose_order(self, start_id: str) -> None:
        with self._news:
            self._starts.lose_order(start_id)

    def never_started(self, start_id: str, workspace_id: str, why: str) -> None:
        with self._news:
            self._starts.never_started(start_id, workspace_id, why)

    def stop(self, start_id: str) -> Object | None:
        """Note that a start is to end; its pod where there is one. Raises `ClusterSilent` at once where that is not known."""
        with self._news:
            self._begin()
            if not self.fresh:
                raise ClusterSilent
            return self._starts.stop(start_id)

    def is_to_stop(self, start_id: str) -> bool:
        with self._news:
            return start_id in self._starts.stopping

    def forget(self, start_id: str) -> None:
        with self._news:
            self._starts.forget(start_id)

    def readers(self) -> list[Object]:
        with self._news:
            return list(self._readers.values())

    def wait_for_reader(self, name: str, reached: Callable[[Object], bool], within: float) -> Object:
        """The pod of that name once it is as asked for. Raises `ClusterSilent` after `within` seconds."""
        with self._news:
            self._begin()
            if not self._news.wait_for(lambda: name in self._readers and reached(self._readers[name]), within):
                raise ClusterSilent
            return self._readers[name]

    def _next(self, changed: dict[str, None]) -> Iterator[Observation]:
        with self._news:
            self._news.wait_for(lambda: changed or not self.fresh or self._stopped.is_set(), _HEARTBEAT)
            if not self.fresh and not self._stopped.is_set():
                raise ClusterSilent
            told = [self._starts.seen[start_id] for start_id in changed if start_id in self._starts.seen]
            changed.clear()
        yield from told

    def _wait_until_fresh(self) -> None:
        self._begin()
        if not self._news.wait_for(lambda: self.fresh or self._stopped.is_set(), _PATIENCE) or self._stopped.is_set():
            raise ClusterSilent

    def _begin(self) -> None:
        if not self._threads:
            self._threads = [
                threading.Thread(target=informer.run, args=(self._stopped,), name="informer", daemon=True)
                for informer in self._informers
            ]
            for thread in self._threads:
                thread.start()

    def _pod_is(self, pod: Object) -> None:
        with self._news:
            if is_of_start(pod):
                self._starts.pod_is(pod)
            else:
                self._readers[pod["metadata"]["name"]] = pod
            self._news.notify_all()

    def _pod_went(self, pod: Object) -> None:
        with self._news:
            if is_of_start(pod):
                self._starts.pod_went(pod)
            else:
                self._readers.pop(pod["metadata"]["name"], None)
            self._news.notify_all()

    def _event_is(self, event: Object) -> None:
        concerned, reason = event["involvedObject"], event.get("reason")
        at = event.get("lastTimestamp") or event.get("eventTime") or event["metadata"]["creationTimestamp"]
        with self._news:
            if reason == _PULLED:
                self._starts.image_is_there(concerned.get("uid", ""), datetime.fromisoformat(at))
            elif reason == EVICTED:
                self._starts.was_evicted(concerned.get("uid", ""), event["message"])
            elif reason == _PULLING:
                self._starts.goes_on(concerned.get("name", ""))
            elif reason in HINDERING:
                why = f"{HINDERING[reason]}: {event['message']}"
                self._starts.is_hindered(concerned.get("name", ""), datetime.fromisoformat(at), why)

    def _tell(self, start_id: str) -> None:
        for changed in self._listeners:
            changed[start_id] = None
        self._news.notify_all()

    def _tell_all(self) -> None:
        with self._news:
            self._news.notify_all()


def _nothing(_: Object) -> None:
    """An old event that the server has dropped is no news."""

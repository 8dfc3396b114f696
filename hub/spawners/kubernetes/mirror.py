"""What all starts are: made of the copies that the informers keep, and of what no object can tell.

Two things have no object: a start that could not be made at all, and one whose pod was deleted. They
are kept here until `forget`, and at most `_REMEMBERED` of them, because other replicas are not told
to forget. An order that is on its way is no observation: one that gets lost is ordered again.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from datetime import datetime

from hub.clock import now
from hub.errors import ClusterSilent
from hub.spawners.base import SYNCED, Ending, Exit, Observation, State, Synced
from hub.spawners.kubernetes.api import Api, Object
from hub.spawners.kubernetes.informer import Informer, Listener
from hub.spawners.kubernetes.objects import OURS, ROLE, START, WORKSPACE
from hub.spawners.kubernetes.reading import observation

_REMEMBERED = 1000
_STREAM = 600.0
"""Seconds that one `watch` lasts."""
_ON_ITS_WAY = 30.0
"""Seconds after which an order whose pod was never seen may be given again."""
_PATIENCE = 10.0
"""Seconds for which a caller waits until everything is known."""
_HEARTBEAT = 5.0
_PULLED = "Pulled"
_OF_METADATA = ("name", "uid", "labels", "annotations", "deletionTimestamp")


class Mirror:
    """Safe to share between threads. The informers begin with the first question."""

    def __init__(self, api: Api) -> None:
        self._news = threading.Condition()
        self._pods: dict[str, Object] = {}
        """By start."""
        self._starts: dict[str, str] = {}
        """By the uid of its pod."""
        self._readers: dict[str, Object] = {}
        """The small pods that read volumes, by name."""
        self._without: OrderedDict[str, Observation] = OrderedDict()
        self._pulled: dict[str, datetime] = {}
        """When the image of a pod was there, by the pod's uid."""
        self._ordered: dict[str, tuple[str, float]] = {}
        """Orders whose pod was not seen yet: workspace, and when the order was given, on the monotonic clock."""
        self._stopping: set[str] = set()
        self._seen: dict[str, Observation] = {}
        self._listeners: list[dict[str, None]] = []
        self._stopped = threading.Event()
        self._informers = [
            Informer(api, "pods", OURS, Listener(kept_of_pod, self._pod_is, self._pod_went, self._tell_all)),
            Informer(api, "events", "", Listener(kept_of_event, self._event_is, _nothing, self._tell_all)),
        ]
        self._threads: list[threading.Thread] = []

    def close(self) -> None:
        self._stopped.set()
        self._tell_all()

    @property
    def fresh(self) -> bool:
        return all(informer.fresh for informer in self._informers)

    @property
    def heard_at(self) -> float:
        """When all kinds were last heard of, on the monotonic clock: how stale this may be."""
        return min(informer.heard_at for informer in self._informers)

    def observations(self) -> list[Observation]:
        """All starts. Raises `ClusterSilent` where they are not known."""
        with self._news:
            self._wait_until_fresh()
            return list(self._seen.values())

    def watch(self) -> Iterator[Observation | Synced]:
        """Ends after a while, so that whoever listens drops what was forgotten meanwhile."""
        changed: dict[str, None] = {}
        with self._news:
            self._wait_until_fresh()
            self._listeners.append(changed)
            known = list(self._seen.values())
        try:
            yield from known
            yield SYNCED
            ends = time.monotonic() + _STREAM
            while not self._stopped.is_set() and time.monotonic() < ends:
                yield from self._next(changed)
        finally:
            with self._news:
                self._listeners.remove(changed)

    def pod_of(self, start_id: str) -> Object | None:
        with self._news:
            self._wait_until_fresh()
            return self._pods.get(start_id)

    def of(self, start_id: str) -> Observation | None:
        with self._news:
            return self._seen.get(start_id)

    def ordered(self, start_id: str, workspace_id: str) -> bool:
        """Note an order; False where the start is known already, or its order is on its way."""
        with self._news:
            _, at = self._ordered.get(start_id, ("", float("-inf")))
            if start_id in self._seen or time.monotonic() - at < _ON_ITS_WAY:
                return False
            self._ordered[start_id] = (workspace_id, time.monotonic())
            return True

    def lost_order(self, start_id: str) -> None:
        """The order did not get through: it may be given again at once."""
        with self._news:
            self._ordered.pop(start_id, None)

    def never_started(self, start_id: str, workspace_id: str, why: str) -> None:
        exit_ = Exit(Ending.NEVER_STARTED, now(), None, why)
        with self._news:
            self._remember(Observation(start_id, workspace_id, State.ENDED, exit=exit_))

    def stop_ordered(self, start_id: str) -> Object | None:
        """Note that a start is to end; its pod where there is one. What has no pod has ended with that.

        Raises `ClusterSilent` at once where it is not known what runs.
        """
        with self._news:
            self._begin()
            if not self.fresh:
                raise ClusterSilent
            self._stopping.add(start_id)
            if start_id in self._ordered:
                workspace_id, _ = self._ordered.pop(start_id)
                self._remember(Observation(start_id, workspace_id, State.ENDED, exit=Exit(Ending.STOPPED, now())))
            return self._pods.get(start_id)

    def is_to_stop(self, start_id: str) -> bool:
        with self._news:
            return start_id in self._stopping

    def forget(self, start_id: str) -> None:
        with self._news:
            pod = self._pods.pop(start_id, None)
            if pod:
                self._starts.pop(pod["metadata"]["uid"], None)
                self._pulled.pop(pod["metadata"]["uid"], None)
            self._without.pop(start_id, None)
            self._stopping.discard(start_id)
            self._look(start_id)

    def wait_for_reader(self, name: str, reached: Callable[[Object], bool], deadline: float) -> Object:
        """The pod of that name once it is as asked for. Raises `ClusterSilent` after `deadline` seconds."""
        with self._news:
            self._begin()
            if not self._news.wait_for(lambda: name in self._readers and reached(self._readers[name]), deadline):
                raise ClusterSilent
            return self._readers[name]

    def _next(self, changed: dict[str, None]) -> Iterator[Observation]:
        with self._news:
            self._news.wait_for(lambda: changed or not self.fresh or self._stopped.is_set(), _HEARTBEAT)
            if not self.fresh and not self._stopped.is_set():
                raise ClusterSilent
            told = [self._seen[start_id] for start_id in changed if start_id in self._seen]
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
            if start_id := _start_of(pod):
                self._pods[start_id] = pod
                self._starts[pod["metadata"]["uid"]] = start_id
                self._ordered.pop(start_id, None)
                self._look(start_id)
            else:
                self._readers[pod["metadata"]["name"]] = pod
            self._news.notify_all()

    def _pod_went(self, pod: Object) -> None:
        with self._news:
            if start_id := _start_of(pod):
                self._environment_went(start_id, pod["metadata"]["uid"])
            else:
                self._readers.pop(pod["metadata"]["name"], None)
            self._news.notify_all()

    def _environment_went(self, start_id: str, uid: str) -> None:
        self._pods.pop(start_id, None)
        self._starts.pop(uid, None)
        self._pulled.pop(uid, None)
        last = self._seen.get(start_id)
        if last is not None:
            self._remember(last if last.state is State.ENDED else _gone(last, stopped=start_id in self._stopping))

    def _event_is(self, event: Object) -> None:
        uid = event["involvedObject"].get("uid", "")
        at = event.get("lastTimestamp") or event.get("eventTime") or event["metadata"]["creationTimestamp"]
        with self._news:
            if event.get("reason") == _PULLED and uid in self._starts:
                self._pulled[uid] = datetime.fromisoformat(at)
                self._look(self._starts[uid])

    def _remember(self, seen: Observation) -> None:
        """Something that no object tells."""
        self._ordered.pop(seen.start_id, None)
        self._without[seen.start_id] = seen
        self._without.move_to_end(seen.start_id)
        if len(self._without) > _REMEMBERED:
            forgotten, _ = self._without.popitem(last=False)
            self._look(forgotten)
        self._look(seen.start_id)

    def _look(self, start_id: str) -> None:
        """Work out anew what a start is, and tell whoever listens where it is another than before."""
        pod = self._pods.get(start_id)
        seen = observation(pod, self._pulled.get(pod["metadata"]["uid"]), now()) if pod else self._without.get(start_id)
        before = self._seen.get(start_id)
        if seen is None:
            self._seen.pop(start_id, None)
        elif before is None or before.state is not State.ENDED:
            self._seen[start_id] = seen
        if self._seen.get(start_id) != before:
            for changed in self._listeners:
                changed[start_id] = None
            self._news.notify_all()

    def _tell_all(self) -> None:
        with self._news:
            self._news.notify_all()


def kept_of_pod(pod: Object) -> Object:
    """What `reading` and `ending` look at, and what tells which pod it is."""
    metadata = {name: pod["metadata"][name] for name in _OF_METADATA if name in pod["metadata"]}
    containers = [{name: one[name] for name in ("image", "resources") if name in one} for one in pod["spec"]["containers"]]
    spec = {"containers": containers, "nodeName": pod["spec"].get("nodeName", "")}
    return {"metadata": metadata, "spec": spec, "status": pod["status"]}


def kept_of_event(event: Object) -> Object:
    kept = {name: event[name] for name in ("involvedObject", "reason", "lastTimestamp", "eventTime") if name in event}
    metadata = {name: event["metadata"][name] for name in ("name", "uid", "creationTimestamp")}
    return kept | {"metadata": metadata}


def _start_of(pod: Object) -> str | None:
    """The start whose pod it is; None for a reader's."""
    labels: dict[str, str] = pod["metadata"].get("labels", {})
    return labels.get(START) if labels.get(ROLE) == "environment" and WORKSPACE in labels else None


def _nothing(_: Object) -> None:
    """An old event that the server has dropped is no news."""


def _gone(last: Observation, *, stopped: bool) -> Observation:
    """A start whose pod is no longer there."""
    exit_ = Exit(Ending.STOPPED, now()) if stopped else Exit(Ending.LOST, now(), None, "its pod was deleted")
    return Observation(last.start_id, last.workspace_id, State.ENDED, last.checkpoints, exit=exit_)

"""What all starts are: made of the pods that are there, and of what no pod tells. In memory, without a lock.

Two things have no pod: a start that could not be made at all, and one whose pod was deleted. They are
kept until `forget`, and at most `REMEMBERED` of them, because other replicas are not told to forget.
An order that is on its way is no observation: one that gets lost is ordered again. What has ended stays
as it ended, whatever is heard of it later.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from hub.clock import now
from hub.spawners.base import Ending, Exit, Observation, State
from hub.spawners.kubernetes.calls import Object
from hub.spawners.kubernetes.parts import START, WORKSPACE
from hub.spawners.kubernetes.reading import has_run, is_over, observation

REMEMBERED, TO_END = 1000, 10_000
ON_ITS_WAY = 30.0
"""Seconds after which an order that got through, and whose pod was never seen, may be given again."""


class Starts:
    """`changed` is called with each start that has become another than before."""

    def __init__(self, changed: Callable[[str], None]) -> None:
        self.seen: dict[str, Observation] = {}
        self.pods: dict[str, Object] = {}
        """By start."""
        self.stopping: OrderedDict[str, None] = OrderedDict()
        """Starts that are to end. They stay when they are forgotten: an order may still be in hand."""
        self._changed = changed
        self._by_uid: dict[str, str] = {}
        self._pulled: dict[str, datetime] = {}
        """When the image of a pod was there, by the pod's uid."""
        self._evicted: dict[str, str] = {}
        """Why a pod was told to end for its node's sake or for what it wrote, by its uid."""
        self._hindered: dict[str, tuple[int, str]] = {}
        """What an event said that a start waits for, and how many checkpoints it had reached then."""
        self._of_workspace: dict[str, str] = {}
        """The start whose pod has the workspace."""
        self._without: OrderedDict[str, Observation] = OrderedDict()
        self._went: OrderedDict[str, None] = OrderedDict()
        """Pods that were deleted, by uid: what comes late of them is no news."""
        self._ordered: dict[str, tuple[str, float]] = {}
        """Orders whose pod was not seen yet: workspace, and when it may be given again, on the monotonic clock."""

    def order(self, start_id: str, workspace_id: str) -> bool:
        """Note an order; False where the start is known already, or its order is in hand or on its way."""
        _, again_at = self._ordered.get(start_id, ("", float("-inf")))
        if start_id in self.seen or time.monotonic() < again_at:
            return False
        self._ordered[start_id] = (workspace_id, float("inf"))
        return True

    def order_is_through(self, start_id: str) -> None:
        """All is made of it: its pod will be seen."""
        if start_id in self._ordered:
            self._ordered[start_id] = (self._ordered[start_id][0], time.monotonic() + ON_ITS_WAY)

    def lose_order(self, start_id: str) -> None:
        """It did not get through, or nobody knows: it may be given again."""
        self._ordered.pop(start_id, None)

    def never_started(self, start_id: str, workspace_id: str, why: str) -> None:
        self._remember(_ended(start_id, workspace_id, Exit(Ending.NEVER_STARTED, now(), None, why)))

    def stop(self, start_id: str) -> Object | None:
        """Note that a start is to end; its pod where there is one. One that is only ordered has ended with that."""
        self.stopping[start_id] = None
        if len(self.stopping) > TO_END:
            self.stopping.popitem(last=False)
        if start_id in self._ordered:
            workspace_id, _ = self._ordered[start_id]
            self._remember(_ended(start_id, workspace_id, Exit(Ending.STOPPED, now())))
        return self.pods.get(start_id)

    def forget(self, start_id: str) -> None:
        self._drop_pod(start_id)
        self._without.pop(start_id, None)
        self._look(start_id)

    def pod_is(self, pod: Object) -> None:
        start_id: str = pod["metadata"]["labels"][START]
        self.pods[start_id] = pod
        self._by_uid[pod["metadata"]["uid"]] = start_id
        self._of_workspace[pod["metadata"]["labels"][WORKSPACE]] = start_id
        self._ordered.pop(start_id, None)
        if pod["metadata"]["uid"] not in self._went and not is_over(pod):
            self._disown_end(start_id)
        self._look(start_id)

    def pod_went(self, pod: Object) -> None:
        start_id: str = pod["metadata"]["labels"][START]
        self._drop_pod(start_id)
        self._went[pod["metadata"]["uid"]] = None
        if len(self._went) > REMEMBERED:
            self._went.popitem(last=False)
        last = self.seen.get(start_id)
        if last is not None:
            self._remember(last if last.state is State.ENDED else self._without_pod(last))

    def image_is_there(self, uid: str, at: datetime) -> None:
        """For the pod with that uid; of one that is not known nothing is kept."""
        if start_id := self._by_uid.get(uid):
            self._pulled[uid] = at
            self._look(start_id)

    def was_evicted(self, uid: str, why: str) -> None:
        """The kubelet says so in an event alone where the container then ends well, as a supervisor's does."""
        if start_id := self._by_uid.get(uid):
            self._evicted[uid] = why
            self._look(start_id)

    def is_hindered(self, name: str, at: datetime, why: str) -> None:
        """For the start whose pod or claim has that name, until its next checkpoint.

        What was said before its pod was made concerns another one; what was said after its container began has passed.
        """
        start_id = self._of_workspace.get(name.partition("-")[2])
        if start_id and not has_run(self.pods[start_id]) and at >= _made(self.pods[start_id]):
            self._hindered[start_id] = (len(self.seen[start_id].checkpoints), why)
            self._look(start_id)

    def goes_on(self, name: str) -> None:
        """What it waited for has come."""
        start_id = self._of_workspace.get(name.partition("-")[2])
        if start_id and self._hindered.pop(start_id, None):
            self._look(start_id)

    def _disown_end(self, start_id: str) -> None:
        """It was taken for one that had ended without a pod, and its pod has come after all."""
        if self._without.pop(start_id, None):
            del self.seen[start_id]

    def _drop_pod(self, start_id: str) -> None:
        self._hindered.pop(start_id, None)
        if pod := self.pods.pop(start_id, None):
            self._by_uid.pop(pod["metadata"]["uid"], None)
            self._pulled.pop(pod["metadata"]["uid"], None)
            self._evicted.pop(pod["metadata"]["uid"], None)
            workspace_id = pod["metadata"]["labels"][WORKSPACE]
            if self._of_workspace.get(workspace_id) == start_id:
                del self._of_workspace[workspace_id]

    def _without_pod(self, last: Observation) -> Observation:
        stopped = last.start_id in self.stopping
        exit_ = Exit(Ending.STOPPED, now()) if stopped else Exit(Ending.LOST, now(), None, "its pod was deleted")
        return Observation(last.start_id, last.workspace_id, State.ENDED, last.checkpoints, exit=exit_)

    def _remember(self, seen: Observation) -> None:
        self._ordered.pop(seen.start_id, None)
        self._without[seen.start_id] = seen
        self._without.move_to_end(seen.start_id)
        if len(self._without) > REMEMBERED:
            forgotten, _ = self._without.popitem(last=False)
            self._look(forgotten)
        self._look(seen.start_id)

    def _of_pod(self, start_id: str, pod: Object) -> Observation:
        """A pod that was deleted because the start was to end has stopped; for others it was taken away."""
        uid = pod["metadata"]["uid"]
        found = observation(pod, self._pulled.get(uid), now(), self._evicted.get(uid, ""))
        if found.exit and found.exit.why is Ending.LOST and start_id in self.stopping:
            return replace(found, exit=replace(found.exit, why=Ending.STOPPED, detail=""))
        reached, why = self._hindered.get(start_id, (-1, ""))
        if found.state is State.PENDING and len(found.checkpoints) == reached:
            return replace(found, hindrance=". ".join(one for one in (why, found.hindrance) if one))
        return found

    def _look(self, start_id: str) -> None:
        """Work out anew what a start is."""
        pod, before = self.pods.get(start_id), self.seen.get(start_id)
        known = self._of_pod(start_id, pod) if pod else self._without.get(start_id)
        if known is None:
            self.seen.pop(start_id, None)
        elif before is None or before.state is not State.ENDED:
            self.seen[start_id] = known
        if self.seen.get(start_id) != before:
            self._changed(start_id)


def _made(pod: Object) -> datetime:
    return datetime.fromisoformat(pod["metadata"]["creationTimestamp"])


def _ended(start_id: str, workspace_id: str, exit_: Exit) -> Observation:
    return Observation(start_id, workspace_id, State.ENDED, exit=exit_)

"""Carries out the order to start, beside the caller: a slow API server delays nobody's click.

Secret and claim are applied, so that doing it again does no harm. The pod is created, because
applying would change the pod of another start: it has the workspace's name, and the API server's
refusal of a second one is what keeps two starts from one workspace. What is cut short anywhere here
is ordered again by the controller, which sees no such start.
"""

import logging
import time
from concurrent.futures import ThreadPoolExecutor

from hub.errors import ClusterSilent
from hub.seam import crossing
from hub.spawners.base import StartSpec
from hub.spawners.kubernetes import objects
from hub.spawners.kubernetes.api import Api
from hub.spawners.kubernetes.calls import ANOTHER, Object, Refusal
from hub.spawners.kubernetes.mirror import Mirror
from hub.spawners.kubernetes.parts import START, claim_name
from hub.spawners.kubernetes.place import Place
from hub.spawners.kubernetes.reading import hopeless, is_over
from hub.spawners.kubernetes.user_namespaces import UserNamespaces

log = logging.getLogger(__name__)

AT_ONCE = 8
"""Orders that are carried out at the same time."""
_PAUSE = 0.2
_WAITED_FOR = 3.0
"""Seconds for which an order waits for the pod of the last run to go; then it is given again, and others have their turn."""
_NOT_ALLOWED = "The image “{}” is not among those that may run here. Tell an administrator"
_HELD = "Another environment is running with this workspace."


class Orders:
    def __init__(self, api: Api, place: Place, namespaces: UserNamespaces, mirror: Mirror) -> None:
        self._api, self._place, self._namespaces, self._mirror = api, place, namespaces, mirror
        self._pool = ThreadPoolExecutor(AT_ONCE, "order")

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    def order(self, spec: StartSpec) -> None:
        """Returns at once. An order for a start that is known already is not taken again."""
        if self._mirror.order(spec.start_id, spec.workspace_id):
            self._pool.submit(self._carry_out, spec)

    def _carry_out(self, spec: StartSpec) -> None:
        try:
            self._make(spec)
            self._mirror.order_is_through(spec.start_id)
        except Refusal as refusal:
            log.warning("the cluster refused the start %s: %s", spec.start_id, refusal.message)
            self._give_up(spec, in_words(refusal))
        except ClusterSilent as error:
            log.warning("the order of %s is given again: no answer (%s)", spec.start_id, error.__cause__ or error.sentence)
            self._mirror.lose_order(spec.start_id)
        except Exception:
            log.exception("the order of %s failed", spec.start_id)
            self._mirror.lose_order(spec.start_id)

    def _make(self, spec: StartSpec) -> None:
        if self._mirror.is_to_stop(spec.start_id):
            return
        if not self._place.allows(spec.image):
            self._mirror.never_started(spec.start_id, spec.workspace_id, _NOT_ALLOWED.format(spec.image[:200]))
            return
        with crossing("apply a start's secret"):
            self._api.apply_secret(objects.secret_name(spec.start_id), objects.secret(spec))
        self._apply_claim(spec)
        if not self._create_pod(spec):
            self._give_up(spec, _HELD)
        elif self._mirror.is_to_stop(spec.start_id):
            with crossing("delete a start's pod"):
                self._api.delete_pods(f"{START}={spec.start_id}")
            self._take_back(spec)

    def _apply_claim(self, spec: StartSpec) -> None:
        """A volume that the cluster does not let grow stays as large as it is."""
        with crossing("apply a workspace's claim"):
            try:
                self._api.apply_claim(claim_name(spec.workspace_id), objects.claim(spec, self._place))
            except Refusal:
                if self._api.claim(claim_name(spec.workspace_id)) is None:
                    raise

    def _create_pod(self, spec: StartSpec) -> bool:
        """False where another start holds the workspace. One that has ended, or is about to, is waited for.

        Raises `ClusterSilent` where its pod is slow to go, as on a node that does not answer.
        """
        deadline = time.monotonic() + _WAITED_FOR
        pod = objects.pod(spec, self._namespaces.place_for(spec.placement))
        while True:
            try:
                with crossing("create a pod"):
                    self._api.create_pod(pod)
            except Refusal as refusal:
                if refusal.code != ANOTHER:
                    raise
            else:
                return True
            found = self._api.pod(objects.pod_name(spec.workspace_id))
            if found and found["metadata"]["labels"].get(START) == spec.start_id:
                return True
            if self._mirror.is_to_stop(spec.start_id) or (found and not self._makes_way(found)):
                return False
            if time.monotonic() > deadline:
                raise ClusterSilent("The pod of its last run has not gone yet.")
            time.sleep(_PAUSE)

    def _makes_way(self, found: Object) -> bool:
        """Whether the pod of an earlier start is on its way out; one that has only ended is sent there."""
        if "deletionTimestamp" in found["metadata"]:
            return True
        if not is_over(found) and not hopeless(found):
            return False
        with crossing("delete an ended pod"):
            self._api.delete_pod(found["metadata"]["name"], found["metadata"]["uid"])
        return True

    def _give_up(self, spec: StartSpec, why: str) -> None:
        """It was never started, unless another hub was faster to order it."""
        try:
            found = self._api.pod(objects.pod_name(spec.workspace_id))
        except ClusterSilent:
            found = None
        if found and found["metadata"]["labels"].get(START) == spec.start_id:
            self._mirror.order_is_through(spec.start_id)
            return
        self._mirror.never_started(spec.start_id, spec.workspace_id, why)
        self._take_back(spec)

    def _take_back(self, spec: StartSpec) -> None:
        """Nothing stays of a start that was not made. A secret that stays all the same goes with `forget`."""
        try:
            with crossing("delete a start's secret"):
                self._api.delete_secret(objects.secret_name(spec.start_id))
        except ClusterSilent:
            log.warning("the secret of %s stays until the start is forgotten", spec.start_id)


def in_words(refusal: Refusal) -> str:
    """What the API server said, as a clause that follows “could not be started:”."""
    if "exceeded quota" in refusal.message:
        return f"the cluster's quota for all environments is used up ({refusal.message[:300]})"
    if " usage per Container is " in refusal.message:
        return f"it asks for more than one environment may have in this cluster ({refusal.message[:300]})"
    if "being terminated" in refusal.message:
        return "the place where environments run is being deleted. Tell an administrator"
    return f"the cluster refused it ({refusal.message[:300]})"

"""What of an object is worth its memory: a namespace may hold thousands of them. Pure."""

from hub.spawners.kubernetes.calls import Object
from hub.spawners.kubernetes.parts import ROLE, START, WORKSPACE

_OF_METADATA = ("name", "uid", "labels", "annotations", "creationTimestamp", "deletionTimestamp")
_OF_CONTAINER = ("image", "resources")
_OF_EVENT = ("involvedObject", "reason", "lastTimestamp", "eventTime")
_LONGEST = 500
HINDERING = {
    "FailedCreatePodSandBox": "Its node cannot make a pod just now",
    "FailedMount": "Its files cannot be mounted just now",
    "FailedAttachVolume": "Its volume cannot be brought to its node just now",
    "ProvisioningFailed": "Its volume cannot be made just now",
}
"""Reasons of events that say what a start waits for and that no pod's status says, with words for it."""
EVICTED = "Evicted"
"""Of an event that says why a pod is ended, as not every status of such a pod does."""


def kept_of_pod(pod: Object) -> Object:
    """What `reading` and `ending` look at, and what tells which pod it is."""
    containers = [_only(_OF_CONTAINER, one) for one in pod["spec"]["containers"]]
    spec = {"containers": containers, "nodeName": pod["spec"].get("nodeName", "")}
    return {"metadata": _only(_OF_METADATA, pod["metadata"]), "spec": spec, "status": pod["status"]}


def kept_of_event(event: Object) -> Object:
    """Thousands of events say nothing that is looked at: their messages are not kept."""
    is_told = event.get("reason") in {*HINDERING, EVICTED}
    message = {"message": str(event.get("message", ""))[:_LONGEST]} if is_told else {}
    return _only(_OF_EVENT, event) | message | {"metadata": _only(("name", "uid", "creationTimestamp"), event["metadata"])}


def is_of_start(pod: Object) -> bool:
    """Whether it is a start's; else it is a reader's."""
    labels: dict[str, str] = pod["metadata"].get("labels", {})
    return labels.get(ROLE) == "environment" and {START, WORKSPACE} <= labels.keys()


def _only(names: tuple[str, ...], found: Object) -> Object:
    return {name: found[name] for name in names if name in found}

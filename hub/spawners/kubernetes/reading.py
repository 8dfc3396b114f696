"""What one pod says of its start. Pure: the same objects give the same observation."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from hub.spawners.base import Checkpoint, Ending, Exit, Observation, State
from hub.spawners.kubernetes.calls import Object
from hub.spawners.kubernetes.container import PORT
from hub.spawners.kubernetes.ending import exit_of, when
from hub.spawners.kubernetes.parts import START, WORKSPACE
from hub.spawners.kubernetes.scheduling import in_words

CHECKPOINTS = ("volume bound", "scheduled", "image pulled", "container started", "ready")
_OVER = {"Succeeded", "Failed"}
_HOPELESS = {"InvalidImageName", "ErrImageNeverPull"}
"""Reasons for which a container waits that no waiting will change."""
_ABSENT = ("not found", "manifest unknown", "does not exist", "unauthorized", "denied", "forbidden")
"""Parts of what a registry says when waiting does not help either."""
_NO_ROOM = "no space left on device"
_LONGEST = 500


def observation(pod: Object, pulled: datetime | None, moment: datetime, evicted: str = "") -> Observation:
    """`pulled`: when an event said that the image is there. `moment` stands in for times that nobody wrote down.

    `evicted`: what an event said of why it was evicted.
    """
    labels = pod["metadata"]["labels"]
    start_id, workspace_id = labels[START], labels[WORKSPACE]
    reached = _checkpoints(pod, pulled)
    if is_over(pod):
        return Observation(start_id, workspace_id, State.ENDED, reached, exit=exit_of(pod, moment, evicted))
    if why := hopeless(pod):
        return Observation(start_id, workspace_id, State.ENDED, reached, exit=Exit(Ending.NEVER_STARTED, moment, None, why))
    if len(reached) == len(CHECKPOINTS) and pod["status"].get("podIP"):
        upstream = _upstream(pod["status"]["podIP"])
        return Observation(start_id, workspace_id, State.READY, reached, upstream, hindrance=_silence(pod))
    return Observation(start_id, workspace_id, State.PENDING, reached, hindrance=_hindrance(pod["status"]) or _silence(pod))


def is_over(pod: Object) -> bool:
    return pod["status"].get("phase") in _OVER


def has_run(pod: Object) -> bool:
    """Whether its container was ever started, so that there is something to remember of it."""
    state = _container(pod["status"]).get("state", {})
    return "running" in state or "terminated" in state


def _upstream(address: str) -> str:
    return f"[{address}]:{PORT}" if ":" in address else f"{address}:{PORT}"


def _checkpoints(pod: Object, pulled: datetime | None) -> tuple[Checkpoint, ...]:
    """Each implies those before it; the times never go back."""
    status = pod["status"]
    scheduled = _since(status, "PodScheduled")
    container = _container(status)
    begun = container.get("state", {}).get("running") or container.get("state", {}).get("terminated") or {}
    started = when(begun.get("startedAt"))
    ready = _since(status, "Ready") or (started if container.get("started") else None)
    times = [scheduled, scheduled, pulled or started, started, ready]
    details = ["", pod["spec"].get("nodeName", ""), "", "", ""]
    reached: list[Checkpoint] = []
    for name, at, detail in zip(CHECKPOINTS, times, details, strict=True):
        if at is None:
            break
        reached.append(Checkpoint(name, max(at, reached[-1].at) if reached else at, detail))
    return tuple(reached)


def _since(status: Object, condition: str) -> datetime | None:
    """When a condition became true; None where it is not."""
    found = _condition(status, condition)
    return when(found.get("lastTransitionTime")) if found.get("status") == "True" else None


def _condition(status: Object, name: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = next((item for item in status.get("conditions", []) if item["type"] == name), {})
    return found


def _container(status: Object) -> Mapping[str, Any]:
    found: Mapping[str, Any] = next(iter(status.get("containerStatuses", [])), {})
    return found


def _waiting(status: Object) -> tuple[str, str]:
    waiting = _container(status).get("state", {}).get("waiting", {})
    return waiting.get("reason", ""), str(waiting.get("message", ""))[:_LONGEST]


def hopeless(pod: Object) -> str:
    """Why its image will never run; empty where it may."""
    reason, message = _waiting(pod["status"])
    image = pod["spec"]["containers"][0]["image"][:200]
    if reason in _HOPELESS:
        return f"“{image}” is no image that can be run. Tell an administrator"
    if reason in {"ErrImagePull", "ImagePullBackOff"} and any(part in message.lower() for part in _ABSENT):
        return f"The image “{image}” was not found, or may not be pulled. Tell an administrator"
    return ""


def _silence(pod: Object) -> str:
    """That its node does not answer, in words; empty where it does.

    Of such a node the control plane alone says that a pod is not ready, without a reason, and after some minutes it asks
    for the pod's end, which nobody confirms. The pod's name and its volume stay held until the node is back or gone: a
    second pod beside one that may still run would write the same files.
    """
    ready = _condition(pod["status"], "Ready")
    unready = has_run(pod) and ready.get("status") == "False" and not ready.get("reason")
    if not unready and not ("deletionTimestamp" in pod["metadata"] and _was_evicted(pod["status"])):
        return ""
    node = pod["spec"].get("nodeName", "")
    return (
        f"Its machine {node} does not answer. What runs there may go on, and its files stay with it until the machine is back "
        "or an administrator has taken it out of the cluster"
    )


def _was_evicted(status: Object) -> bool:
    return _condition(status, "DisruptionTarget").get("reason") == "DeletionByTaintManager"


def _hindrance(status: Object) -> str:
    scheduled = _condition(status, "PodScheduled")
    if scheduled.get("reason") == "Unschedulable":
        return in_words(str(scheduled.get("message", ""))[:_LONGEST])
    reason, message = _waiting(status)
    if reason in {"ErrImagePull", "ImagePullBackOff"}:
        why = f"its node's disk is full ({message})" if _NO_ROOM in message.lower() else message
        return f"The image cannot be pulled just now: {why}"
    if reason in {"CreateContainerConfigError", "CreateContainerError"}:
        return f"The container cannot be made just now: {message}"
    return ""

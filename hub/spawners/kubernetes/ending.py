"""Why a pod ended, read from its status. Pure.

What the supervisor in the pod left as the container's termination message is the person's own
word: her code runs under the same account. It is believed where it concerns only herself, and cut
to size; that the infrastructure took the pod is read from the API server's word alone.
"""

import json
from datetime import datetime
from typing import Any

from hub.spawners.base import Ending, Exit
from hub.spawners.kubernetes.calls import Object
from hub.spawners.kubernetes.quantities import amount

_INFRASTRUCTURE = {
    "Evicted",
    "NodeAffinity",
    "NodeLost",
    "NodeShutdown",
    "OutOfcpu",
    "OutOfmemory",
    "OutOfpods",
    "Preempting",
    "Shutdown",
    "Terminated",
    "UnexpectedAdmissionError",
}
"""Reasons that a kubelet or the control plane gives when it ends a pod for the node's sake."""
_OWN_DOING = "exceeds the"
"""Part of the message of an eviction for the pod's own use of its local storage, not for the node's need."""
_BELIEVED = {Ending.EXITED, Ending.KILLED, Ending.OUT_OF_MEMORY, Ending.TOO_MANY_PROCESSES, Ending.NEVER_STARTED}
_LONGEST = 300
_MOST_MEMORY = 2**50
"""Bytes."""
_STOPPED = "DeadlineExceeded"
"""`stop` sets the pod's deadline, which ends it gracefully and leaves its record and its log."""


def exit_of(pod: Object, moment: datetime, evicted: str = "") -> Exit:
    """How a pod of phase Succeeded or Failed ended; `moment` where nothing says when.

    `evicted`: the word of an event. Of a pod whose container ended well the kubelet keeps no such word in the pod's status.
    """
    status = pod["status"]
    terminated = _terminated(status)
    at = when(terminated.get("finishedAt")) or moment
    reason = status.get("reason") or ("Evicted" if evicted else "")
    message = _plain(status.get("message") or evicted)
    if reason == _STOPPED:
        return Exit(Ending.STOPPED, at, terminated.get("exitCode"), "", _left_word(terminated).get("peak_memory"))
    if "deletionTimestamp" in pod["metadata"]:
        return Exit(Ending.LOST, at, None, "its pod was deleted")
    if reason == "Evicted" and _OWN_DOING in message:
        return Exit(Ending.OUT_OF_SPACE, at, None, message)
    if reason in _INFRASTRUCTURE or _was_disrupted(status) or terminated.get("reason") == "ContainerStatusUnknown":
        return Exit(Ending.LOST, at, None, message)
    return _by_itself(pod, terminated, at)


def when(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _by_itself(pod: Object, terminated: Object, at: datetime) -> Exit:
    word = _left_word(terminated)
    code = terminated.get("exitCode")
    if terminated.get("reason") == "OOMKilled" or word.get("why") == Ending.OUT_OF_MEMORY:
        limit = _memory_limit(pod)
        peak = max(limit, word.get("peak_memory") or 0)
        return Exit(Ending.OUT_OF_MEMORY, at, code, f"Its limit is {limit // 2**20} MiB.", peak)
    if word:
        return Exit(Ending(word["why"]), at, word["exit_code"], word["detail"], word["peak_memory"])
    if terminated.get("reason") in {"StartError", "ContainerCannotRun"}:
        return Exit(Ending.NEVER_STARTED, at, code, _plain(terminated.get("message", "")))
    return Exit(Ending.EXITED, at, code, "")


def _terminated(status: Object) -> Object:
    for container in status.get("containerStatuses", []):
        ended: Object = container.get("state", {}).get("terminated", {})
        return ended
    return {}


def _was_disrupted(status: Object) -> bool:
    return any(item["type"] == "DisruptionTarget" and item["status"] == "True" for item in status.get("conditions", []))


def _memory_limit(pod: Object) -> int:
    limits = pod["spec"]["containers"][0].get("resources", {}).get("limits", {})
    return int(amount(limits.get("memory", "0")))


def _left_word(terminated: Object) -> dict[str, Any]:
    """The termination message where it is what `environment.pod` writes, every field checked; else nothing."""
    try:
        said = json.loads(terminated.get("message", ""))
        return {
            "why": Ending(said["why"]) if Ending(said["why"]) in _BELIEVED else Ending.EXITED,
            "detail": _plain(said["detail"]),
            "exit_code": _within(said["exit_code"], 255),
            "peak_memory": _within(said["peak_memory"], _MOST_MEMORY),
        }
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return {}


def _plain(text: object) -> str:
    """What a database keeps and a page shows: no control characters, no halves of characters."""
    return "".join(character if character.isprintable() else " " for character in str(text)[:_LONGEST])


def _within(value: Any, most: int) -> int | None:
    """Raises ValueError for a number that no process and no machine has."""
    number = None if value is None else int(value)
    if number is not None and not -most <= number <= most:
        raise ValueError
    return number

"""What the scheduler says of a pod that no node can take, in a sentence. Pure.

It says `0/3 nodes are available: 1 Insufficient cpu, 2 node(s) had untolerated taint {gpu: }. preemption: …`.
What it says in another way than known here is passed on as it is.
"""

import re

_SAID = re.compile(
    r"^\d+/(?P<nodes>\d+) nodes are available: (?P<reasons>.*?)(?:\.? (?:no new claims|preemption).*)?$", re.DOTALL
)
_SHORT = re.compile(r"^(\d+) Insufficient (\S+)$")
_COUNTED = re.compile(r"^(\d+) (.*)$", re.DOTALL)
_NAMES = {
    "cpu": "too little CPU free",
    "memory": "too little memory free",
    "ephemeral-storage": "too little scratch space free",
}
_WORDS = (
    ("node.kubernetes.io/disk-pressure", "almost out of disk space"),
    ("node.kubernetes.io/memory-pressure", "almost out of memory"),
    ("node.kubernetes.io/unreachable", "not answering"),
    ("node.kubernetes.io/not-ready", "not ready"),
    ("untolerated taint(s)", "reserved for others or in trouble"),  # Kubernetes 1.35 names no taint any more
    ("untolerated taint", "reserved for others"),
    ("node affinity/selector", "not of the kind that its preset asks for"),
    ("were unschedulable", "closed for new work"),
    ("volume node affinity", "out of reach of its volume"),
    ("exceed max volume count", "full of volumes"),
    ("Too many pods", "full of pods"),
)
_OF_ITS_VOLUME = (
    ("unbound immediate PersistentVolumeClaims", "Its volume is not there yet"),
    ("is being deleted", "Its volume is being deleted in the cluster, by somebody else than Podium. Tell an administrator"),
    ("non-existent", "Its volume is lost: what held the files is not in the cluster any more. Tell an administrator"),
)
"""What concerns no node: such a pod waits for its volume alone."""


def in_words(message: str) -> str:
    said = _SAID.match(message.strip())
    if not said:
        return f"No node can take it: {message.strip()}"
    if of_its_volume := next((words for part, words in _OF_ITS_VOLUME if part in said["reasons"]), None):
        return of_its_volume
    reasons = ", ".join(_reason(one.strip().rstrip(".")) for one in _parts(said["reasons"]))
    nodes = int(said["nodes"])
    return f"No node can take it: of {nodes} node{'s' if nodes != 1 else ''}, {reasons}"


def _parts(reasons: str) -> list[str]:
    """At the commas that a number follows: a taint may have commas of its own."""
    return re.split(r", (?=\d+ )", reasons)


def _reason(text: str) -> str:
    if short := _SHORT.match(text):
        count, name = short.groups()
        return f"{count} {'has' if count == '1' else 'have'} {_NAMES.get(name, f'no {name} free')}"
    counted = _COUNTED.match(text)
    words = next((words for part, words in _WORDS if part in text), None)
    return f"{counted[1]} {'is' if counted[1] == '1' else 'are'} {words}" if counted and words else text

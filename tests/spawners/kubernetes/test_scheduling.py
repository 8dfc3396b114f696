"""Why no node can take a pod, in words that a researcher understands."""

import pytest

from hub.spawners.kubernetes.scheduling import in_words

TAIL = " no new claims to deallocate, preemption: 0/4 nodes are available: 4 Preemption is not helpful for scheduling."


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("0/1 nodes are available: 1 Insufficient cpu.", "of 1 node, 1 has too little CPU free"),
        (
            f"0/4 nodes are available: 2 Insufficient memory, 2 node(s) had untolerated taint {{a: b, c}}.{TAIL}",
            "of 4 nodes, 2 have too little memory free, 2 are reserved for others",
        ),
        (
            f"0/4 nodes are available: 1 Insufficient example.org/x, 3 node(s) didn't match node affinity/selector.{TAIL}",
            "of 4 nodes, 1 has no example.org/x free, 3 are not of the kind that its preset asks for",
        ),
        ("0/2 nodes are available: 2 node(s) were unschedulable.", "of 2 nodes, 2 are closed for new work"),
        ("0/2 nodes are available: 2 something of a later version.", "of 2 nodes, 2 something of a later version"),
        (
            (
                "0/3 nodes are available: 1 node(s) had untolerated taint {node.kubernetes.io/disk-pressure: }, "
                "1 node(s) had untolerated taint {node.kubernetes.io/unreachable: }, 1 node(s) had untolerated taint(s)."
            ),
            "of 3 nodes, 1 is almost out of disk space, 1 is not answering, 1 is reserved for others or in trouble",
        ),
        ("the scheduler says something else", "the scheduler says something else"),
    ],
)
def test_what_the_scheduler_says_is_told_in_words(said: str, words: str) -> None:
    assert in_words(said).removeprefix("No node can take it: ") == words


@pytest.mark.case("R13")
@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("pod has unbound immediate PersistentVolumeClaims. not found.", "Its volume is not there yet"),
        ('persistentvolumeclaim "workspace-1" is being deleted. not found.', "Its volume is being deleted in the cluster"),
        ('persistentvolumeclaim "workspace-1" bound to non-existent persistentvolume "pvc-1".', "Its volume is lost"),
    ],
)
def test_what_is_the_matter_with_its_volume_is_no_matter_of_nodes(said: str, words: str) -> None:
    assert in_words(f"0/1 nodes are available: {said}{TAIL}").startswith(words)

"""Nodes that are only objects in the API server, so that a test has GPUs, and nodes to lose."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from tests.cluster.tools import kubectl, run
from tests.support.ci import absent

GPU = "nvidia.com/gpu"
FAKE = {"key": "kwok.x-k8s.io/node", "value": "fake", "effect": "NoSchedule"}
"""The toleration of their taint."""


@contextmanager
def fake_nodes(count: int = 1, gpu: str = "") -> Iterator[list[str]]:
    """The names of new nodes; they are deleted at the end."""
    if "CLUSTER" not in os.environ:
        absent("Only a command in CLUSTER can make nodes")
    before = _names()
    run("fake-nodes", str(count), *(["--gpu", gpu] if gpu else []))
    made = sorted(_names() - before)
    try:
        yield made
    finally:
        kubectl("delete", "node", *made)


def _names() -> set[str]:
    return set(kubectl("get", "nodes", "-o", "name").replace("node/", "").split())

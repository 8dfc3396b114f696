"""The inventory of a real cluster, and what the hub's own account may do there."""

import os
import re

from hub.clusters.inventory import Device, Node
from hub.clusters.kubernetes import KubernetesSource
from hub.spawners.kubernetes.calls import connect
from tests.cluster.installed import RELEASE, Release
from tests.cluster.nodes import GPU, fake_nodes
from tests.cluster.tools import run

EVERYBODYS = {"selfsubjectreviews", "selfsubjectaccessreviews", "selfsubjectrulesreviews"}
"""What the API server answers everybody who has an account."""


def found(name: str) -> Node:
    told = KubernetesSource(connect(os.environ["KUBECONFIG"])).inventory()
    return next(node for node in told.nodes if node.name == name)


def test_a_real_cluster_tells_its_nodes_their_gpus_and_who_is_cordoned() -> None:
    with fake_nodes(gpu="NVIDIA-A100-SXM4-80GB:4") as [name]:
        fake = found(name)
        assert [(one.model, one.count, one.requested) for one in fake.devices] == [("NVIDIA-A100-SXM4-80GB", 4, 0)]
        assert isinstance(fake.devices[0], Device)
        assert fake.devices[0].resource == GPU
        assert (fake.ready, fake.cordoned) == (True, False)
        run("kubectl", "cordon", name)
        assert found(name).cordoned
    told = KubernetesSource(connect(os.environ["KUBECONFIG"])).inventory()
    [real] = [node for node in told.nodes if node.cpu.used is not None]
    assert real.ready
    assert real.cpu.used is not None
    assert 0 < real.cpu.used <= real.cpu.capacity
    assert real.memory.requested
    assert [one.name for one in told.storage_classes if one.default]
    assert told.unseen == ()


def allowed(release: Release, namespace: str) -> set[tuple[str, str]]:
    """What the hub's account may do, as the API server itself says."""
    account = f"system:serviceaccount:{release.namespace}:{RELEASE}-hub"
    listed = run("kubectl", "-n", namespace, "auth", "can-i", "--list", f"--as={account}", "--no-headers")
    rows = [re.fullmatch(r"(\S+)\s+\[.*?\]\s+\[.*?\]\s+\[(.*?)\]", line.strip()) for line in listed.splitlines()]
    return {(row[1], row[2]) for row in rows if row and row[1].partition(".")[0] not in EVERYBODYS}


WHOLE = {
    ("nodes", "list"),
    ("pods", "list"),
    ("storageclasses.storage.k8s.io", "list"),
    ("resourceslices.resource.k8s.io", "list"),
    ("nodes.metrics.k8s.io", "list"),
}


def test_the_hub_s_account_writes_in_the_environments_namespace_and_elsewhere_only_lists(release: Release) -> None:
    assert allowed(release, release.namespace) == WHOLE
    assert allowed(release, release.environments) == {
        *(row for row in WHOLE if row[0] != "pods"),
        ("pods", "list get watch create patch delete deletecollection"),
        ("pods/log", "get"),
        ("secrets", "create patch delete"),
        ("persistentvolumeclaims", "get create patch delete"),
        ("events", "list watch"),
        ("pods.metrics.k8s.io", "list"),
    }

"""The inventory of a cluster: what its objects say, and what they add up to."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client

from hub.clusters import kubernetes, nodes
from hub.clusters.inventory import Amount, Device, Inventory
from hub.clusters.machine import MachineSource
from hub.errors import ClusterSilent
from hub.spawners.kubernetes import calls
from tests.clusters.api_server import CLASSES, METRICS, NODES, PODS, SLICES, cluster_server, node, pod, usage

GIB = 2**30
H100 = "NVIDIA-H100-80GB-HBM3"


def source(port: int) -> kubernetes.KubernetesSource:
    configuration = client.Configuration(host=f"http://127.0.0.1:{port}")
    configuration.retries = False
    return kubernetes.KubernetesSource(client.ApiClient(configuration))


def requests_of(spec: dict[str, Any]) -> Counter[str]:
    totals: dict[str, Counter[str]] = {}
    nodes.add_requests(totals, [{"spec": {"nodeName": "n", **spec}, "status": {"phase": "Running"}}])
    return totals["n"]


def asking(restart: str | None = None, **requests: str) -> dict[str, Any]:
    return {"resources": {"requests": requests}} | ({"restartPolicy": restart} if restart else {})


def test_a_cluster_tells_its_nodes_and_what_of_them_is_taken() -> None:
    lists = {
        NODES: [
            node("a", gpus=8, model=H100),
            node("b", gpus=8, model=H100, unschedulable=True),
            node("c", conditions=("DiskPressure",)),
        ],
        PODS: [
            pod("a", cpu="1500m", memory="2Gi", gpu="3"),
            pod("a", "Succeeded", cpu="8", gpu="1"),
            pod("", "Pending", cpu="4"),
            pod("b", cpu="250m"),
        ],
        METRICS: [usage("a", "2500000000n", "1048576Ki")],
        CLASSES: [
            {
                "metadata": {"name": "fast", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
                "allowVolumeExpansion": True,
            }
        ],
        SLICES: [],
    }
    with cluster_server(lists) as server:
        told = source(server.server_port).inventory()
    first, second, third = told.nodes
    assert (first.cpu, first.memory) == (Amount(16, 1.5, 2.5), Amount(64 * GIB, 2 * GIB, GIB))
    assert first.devices == (Device("nvidia.com/gpu", H100, 8, 3, 81559 * 2**20),)
    assert (first.ready, second.ready, third.ready) == (True, True, False)
    assert (first.cordoned, second.cordoned) == (False, True)
    assert third.trouble == ("DiskPressure",)
    assert told.cpu == Amount(16, 1.5, 2.5)
    [gpus] = told.devices
    assert gpus == Device("nvidia.com/gpu", H100, 16, 3, 81559 * 2**20, closed=8)
    assert gpus.free == 5
    assert [(one.name, one.default, one.grows) for one in told.storage_classes] == [("fast", True, True)]
    assert told.unseen == ()


def test_what_may_not_be_seen_is_named_and_the_rest_is_shown() -> None:
    with cluster_server({NODES: [node("a")], CLASSES: [], SLICES: []}) as server:
        told = source(server.server_port).inventory()
    assert told.nodes[0].cpu == Amount(16, None, None)
    assert [sentence.partition(" there")[0] for sentence in told.unseen] == [
        "Podium may not see what pods ask for",
        "Podium may not see what nodes use",
    ]
    with cluster_server({}) as server:
        nothing = source(server.server_port).inventory()
    assert nothing.nodes == ()
    assert len(nothing.unseen) == 5


def test_while_the_metrics_server_is_away_the_rest_is_told() -> None:
    with cluster_server({NODES: [node("a")], PODS: [], METRICS: 503, CLASSES: [], SLICES: []}) as server:
        told = source(server.server_port).inventory()
    assert told.nodes[0].cpu == Amount(16, 0, None)


def test_conditions_that_are_good_when_they_are_true_are_no_trouble() -> None:
    found = nodes.node(node("a", conditions=("Ready", "EtcdIsVoter", "NetworkingReady", "PIDPressure")), None, None)
    assert found.trouble == ("PIDPressure",)


def test_pods_are_counted_page_by_page() -> None:
    many = [pod("a", cpu="1m") for _ in range(2 * calls.PAGE + 1)]
    with cluster_server({NODES: [node("a")], PODS: many}) as server:
        told = source(server.server_port).inventory()
        assert server.asked.count(PODS) == 3
    assert told.cpu.requested == pytest.approx(1.001)


def test_a_cluster_that_is_not_there_is_silent() -> None:
    with cluster_server({}) as server:
        port = server.server_port
    with pytest.raises(ClusterSilent):
        source(port).inventory()


def test_a_pod_asks_for_the_larger_of_its_phases_and_its_overhead() -> None:
    containers = [asking(cpu="1"), asking(cpu="500m", memory="1Gi")]
    assert requests_of({"containers": containers}) == {"cpu": 1.5, "memory": GIB}
    assert requests_of({"containers": containers, "initContainers": [asking(cpu="4")]})["cpu"] == 4
    assert requests_of({"containers": containers, "initContainers": [asking("Always", cpu="1")]})["cpu"] == 2.5
    assert requests_of({"containers": containers, "overhead": {"cpu": "250m"}})["cpu"] == 1.75
    assert requests_of({"containers": [asking()], "resources": {"requests": {"cpu": "3"}}})["cpu"] == 3


def test_slices_of_gpus_and_devices_of_other_makers_are_told_apart() -> None:
    found = node("a", model=H100)
    found["status"]["allocatable"] |= {
        "nvidia.com/mig-1g.10gb": "7",
        "gpu.intel.com/i915": "2",
        "attachable-volumes-csi-x": "9",
    }
    told = Inventory((nodes.node(found, None, None),))
    assert [(one.model, one.count, one.requested) for one in told.devices] == [
        (f"{H100} MIG 1g.10gb", 7, None),
        ("gpu.intel.com/i915", 2, None),
    ]


def test_devices_of_dynamic_resource_allocation_are_counted_by_model() -> None:
    named = {"name": "gpu-0", "attributes": {"productName": {"string": "NVIDIA B200"}}}
    slices = [{"spec": {"driver": "gpu.nvidia.com", "devices": [named, named]}}, {"spec": {"driver": "fpga", "devices": [{}]}}]
    assert nodes.claimable(slices) == (Device("gpu.nvidia.com", "NVIDIA B200", 2), Device("fpga", "fpga", 1))


def test_this_machine_is_a_cluster_of_one_node(tmp_path: Path) -> None:
    for number in range(2):
        (tmp_path / str(number)).mkdir()
        (tmp_path / str(number) / "information").write_text("Model: \t\t NVIDIA H100\nIRQ:   1\n")
    told = MachineSource(lambda: (0.5, GIB), tmp_path).inventory()
    [machine] = told.nodes
    assert (machine.cpu.requested, machine.memory.requested) == (0.5, GIB)
    assert machine.memory.used is not None
    assert 0 < machine.memory.used < machine.memory.capacity
    assert told.devices == (Device("nvidia.com/gpu", "NVIDIA H100", 2),)

"""Where in a cluster a start runs: on nodes with the devices that its preset asks for, and never with an image not allowed."""

import json
import os

import pytest

from hub.clusters.inventory import Node
from hub.clusters.kubernetes import KubernetesSource
from hub.spawners.base import Ending, Observation, State
from hub.spawners.kubernetes.calls import connect
from hub.spawners.kubernetes.parts import START
from hub.spawners.placement import Placement
from tests.cluster.nodes import FAKE, GPU, fake_nodes
from tests.cluster.tools import kubectl
from tests.spawners.far_side import ended, hindered, in_state, until
from tests.spawners.kubernetes_side import KubernetesFarSide


def node_of(seen: Observation) -> str:
    return next(point.detail for point in seen.checkpoints if point.name == "scheduled")


@pytest.mark.case("R4")
def test_a_start_with_a_gpu_runs_on_a_node_that_has_one_and_ends_lost_with_it(far: KubernetesFarSide) -> None:
    with fake_nodes(gpu="NVIDIA-H100-80GB-HBM3:2") as [node]:
        placement = Placement.model_validate(
            {"resources": {GPU: 2}, "node_selector": {"nvidia.com/gpu.product": "NVIDIA-H100-80GB-HBM3"}, "tolerations": [FAKE]}
        )
        first, second = far.spec(placement=placement), far.spec(placement=placement)
        far.spawner.start(first)
        assert node_of(until(lambda: in_state(far, first.start_id, State.READY))) == node
        far.spawner.start(second)
        waiting = until(lambda: hindered(far, second.start_id))
        assert f"no {GPU} free" in waiting.hindrance
    exit_ = ended(far, first.start_id, within=120).exit
    assert exit_
    assert exit_.why is Ending.LOST


def test_a_start_that_asks_for_a_device_that_no_node_has_says_which(far: KubernetesFarSide) -> None:
    spec = far.spec(placement=Placement(resources={"example.org/quantum": 1}))
    far.spawner.start(spec)
    assert "example.org/quantum" in until(lambda: hindered(far, spec.start_id)).hindrance


@pytest.mark.case("A9-6")
def test_an_image_that_is_not_allowed_is_never_started_and_leaves_nothing(far: KubernetesFarSide) -> None:
    spec = far.spec()
    with far.another(allowed_images=("registry.example/podium/*",)) as strict:
        strict.start(spec)
        seen = until(lambda: next((one for one in strict.observe() if one.start_id == spec.start_id), None))
    assert seen.exit
    assert seen.exit.why is Ending.NEVER_STARTED
    assert f"The image “{spec.image}” is not among those that may run here" in seen.exit.detail
    assert kubectl("-n", far.namespace, "get", "pods,secrets,persistentvolumeclaims", "-o", "name") == ""


@pytest.mark.case("A9-2")
def test_with_user_namespaces_an_account_of_a_pod_is_none_of_its_node_or_the_start_says_that_there_are_none(
    far: KubernetesFarSide,
) -> None:
    spec = far.spec()
    with far.another(user_namespaces=True) as apart:
        apart.start(spec)
        seen = until(lambda: hindered(far, spec.start_id) or in_state(far, spec.start_id, State.READY))
    if seen.state is State.READY:
        inside, outside, _ = far.run(spec.start_id, "result = open('/proc/self/uid_map').read()").split()[:3]
        assert (inside, outside) != ("0", "0")
    else:
        assert "Its node cannot make a pod just now" in seen.hindrance
        assert "user namespaces" in seen.hindrance


@pytest.mark.case("A9-2")
def test_pods_have_accounts_of_their_own_where_their_nodes_say_that_they_can_give_them(far: KubernetesFarSide) -> None:
    handlers = [{"name": "", "features": {"userNamespaces": True}}]
    with fake_nodes(2) as [able, other], far.another(user_namespaces=None) as spawner:
        kubectl("patch", "node", able, "--subresource=status", "--type=merge", "-p", told({"runtimeHandlers": handlers}))
        for node, host_users in ((able, "false"), (other, "")):
            spec = far.spec(placement=on(node))
            spawner.start(spec)
            pod = ("-n", far.namespace, "get", "pods", "-l", f"{START}={spec.start_id}")
            until(lambda pod=pod: kubectl(*pod, "-o", "name"))  # type: ignore[misc] # a default of a lambda has no type
            assert kubectl(*pod, "-o", "jsonpath={.items[0].spec.hostUsers}") == host_users


@pytest.mark.case("R14")
def test_a_node_whose_disk_is_almost_full_takes_no_more_starts_and_the_start_says_so(far: KubernetesFarSide) -> None:
    with fake_nodes() as [node]:
        full = {"type": "DiskPressure", "status": "True", "reason": "KubeletHasDiskPressure", "message": "it is full"}
        kubectl("patch", "node", node, "--subresource=status", "-p", told({"conditions": [full]}))
        until(lambda: "disk-pressure" in kubectl("get", "node", node, "-o", "jsonpath={.spec.taints}"))
        spec = far.spec(placement=on(node))
        far.spawner.start(spec)
        said = until(lambda: hindered(far, spec.start_id)).hindrance
        assert "1 is almost out of disk space" in said or "1 is reserved for others or in trouble" in said


def on(node: str) -> Placement:
    """That very node."""
    return Placement.model_validate({"node_selector": {"kubernetes.io/hostname": node}, "tolerations": [FAKE]})


def told(status: object) -> str:
    return json.dumps({"status": status})


def found(name: str) -> Node:
    told = KubernetesSource(connect(os.environ["KUBECONFIG"])).inventory()
    return next(node for node in told.nodes if node.name == name)


def test_a_real_cluster_tells_its_nodes_their_gpus_and_who_is_cordoned() -> None:
    with fake_nodes(gpu="NVIDIA-A100-SXM4-80GB:4") as [name]:
        fake = found(name)
        assert [(one.model, one.count, one.requested) for one in fake.devices] == [("NVIDIA-A100-SXM4-80GB", 4, 0)]
        assert fake.devices[0].resource == GPU
        assert (fake.ready, fake.cordoned) == (True, False)
        kubectl("cordon", name)
        assert found(name).cordoned
    told = KubernetesSource(connect(os.environ["KUBECONFIG"])).inventory()
    real, *_ = [node for node in told.nodes if node.cpu.used is not None]
    assert real.ready
    assert real.cpu.used is not None
    assert 0 < real.cpu.used <= real.cpu.capacity
    assert real.memory.requested
    assert [one.name for one in told.storage_classes if one.default]
    assert told.unseen == ()

"""What an environment reaches over the network: tried from inside real pods, under the chart's policies and without them."""

import json
import os
from collections.abc import Iterator

import pytest
from kubernetes import client

from hub.clock import new_id
from hub.spawners.base import StartSpec, State
from hub.spawners.kubernetes.api import Api, connect
from hub.spawners.kubernetes.place import Place
from hub.spawners.kubernetes.spawner import KubernetesSpawner
from tests.cluster.installed import RELEASE, Release
from tests.cluster.namespace import own_namespace
from tests.spawners.far_side import MIB, until
from tests.spawners.kubernetes_side import STAND_IN

CALL = """
import json, socket
def is_reached(host, port):
    try:
        socket.create_connection((host, port), 3).close()
    except OSError:
        return False
    return True
print("told", json.dumps({name: is_reached(*to) for name, to in %r.items()}), flush=True)
"""
Places = dict[str, tuple[str, int]]


class Namespace:
    """Starts stand-ins that call what they are told to, and reads what they reached."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.spawner = KubernetesSpawner(Api(connect(os.environ["KUBECONFIG"]), name), Place(name, ""))

    def start(self, at_start: str = "") -> StartSpec:
        spec = StartSpec(
            new_id(), new_id(), new_id(), os.environ[STAND_IN], 1, 256 * MIB, 64, "", ({"kid": "one"},), {"AT_START": at_start},
            cpu_request=0.01, memory_request=32 * MIB, storage=64 * MIB,
        )  # fmt: skip
        self.spawner.start(spec)
        return spec

    def address(self, spec: StartSpec) -> tuple[str, int]:
        upstream = until(lambda: self._upstream(spec.start_id))
        host, _, port = upstream.rpartition(":")
        return host, int(port)

    def reached(self, places: Places) -> dict[str, bool]:
        """From a pod of its own."""
        spec = self.start(CALL % places)
        self.address(spec)
        [told] = [line for line in self.spawner.log(spec.start_id, 100).splitlines() if line.startswith("told ")]
        found: dict[str, bool] = json.loads(told.removeprefix("told "))
        return found

    def _upstream(self, start_id: str) -> str | None:
        return next(
            (seen.upstream for seen in self.spawner.observe() if (seen.start_id, seen.state) == (start_id, State.READY)), None
        )


@pytest.fixture
def guarded(release: Release) -> Iterator[Namespace]:
    one = Namespace(release.environments)
    yield one
    one.spawner.close()


@pytest.fixture
def unguarded() -> Iterator[Namespace]:
    with own_namespace() as name:
        one = Namespace(name)
        yield one
        one.spawner.close()


def pod_address(namespace: str, name: str) -> str:
    pods = client.CoreV1Api(connect(os.environ["KUBECONFIG"])).list_namespaced_pod(namespace).items
    return next(
        pod.status.pod_ip
        for pod in pods
        if pod.metadata and pod.status and pod.status.pod_ip and (pod.metadata.name or "").startswith(name)
    )


def private_places(release: Release) -> Places:
    nodes = client.CoreV1Api(connect(os.environ["KUBECONFIG"])).list_node().items
    node = next(item.address for one in nodes if one.status for item in one.status.addresses or [] if item.type == "InternalIP")
    return {
        "the API server's service": ("kubernetes.default.svc", 443),
        "the kubelet": (node, 10250),
        "NGINX": (pod_address(release.namespace, f"{RELEASE}-nginx"), 8080),
    }


@pytest.mark.case("A9-4")
def test_an_environment_reaches_dns_and_the_hub_and_nothing_private(release: Release, guarded: Namespace) -> None:
    neighbour = guarded.start()
    places = {
        "the hub": (f"{RELEASE}-hub.{release.namespace}.svc", 8501),
        "a neighbour": guarded.address(neighbour),
        "cloud metadata": ("169.254.169.254", 80),
        **private_places(release),
    }
    assert guarded.reached(places) == {name: name == "the hub" for name in places}


@pytest.mark.case("A9-4")
def test_without_the_policies_it_would_reach_them(release: Release, guarded: Namespace, unguarded: Namespace) -> None:
    """So it is the policies that keep it; and an environment is closed to pods of other namespaces too."""
    neighbour = guarded.start()
    places = {**private_places(release), "an environment": guarded.address(neighbour)}
    assert unguarded.reached(places) == {name: name != "an environment" for name in places}

"""What an environment reaches over the network: tried from inside real pods, under the chart's policies and without them."""

import json
import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import httpx
import pytest
from kubernetes import client

from hub.clock import new_id
from hub.spawners.base import StartSpec
from hub.spawners.kubernetes import objects
from hub.spawners.kubernetes.api import Api
from hub.spawners.kubernetes.calls import connect
from hub.spawners.kubernetes.container import PORT
from hub.spawners.kubernetes.parts import claim_name
from hub.spawners.kubernetes.place import Place
from tests.cluster.installed import RELEASE, Release
from tests.cluster.namespace import own_namespace
from tests.cluster.tools import command, kubectl, run
from tests.environment.signing import Signer
from tests.spawners.far_side import MIB, until
from tests.spawners.kubernetes_side import STAND_IN

CALL = """
import json, socket, time
time.sleep(5)  # a network applies policies to a new pod a moment after it has its address
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
    """Makes pods that the policies take for environments and no hub takes for its own, and reads what they reached."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._api = Api(connect(os.environ["KUBECONFIG"]), name)

    def start(self, at_start: str = "", **changes: Any) -> str:
        """The name of a new pod."""
        spec = StartSpec(
            new_id(), new_id(), new_id(), os.environ[STAND_IN], 1, 256 * MIB, 64, "", ({"kid": "one"},), {"AT_START": at_start},
            cpu_request=0.01, memory_request=32 * MIB, storage=64 * MIB,
        )  # fmt: skip
        spec = replace(spec, **changes)
        pod = objects.pod(spec, Place(self._name, ""))
        assert pod.metadata
        assert pod.metadata.labels
        pod.metadata.labels["app.kubernetes.io/managed-by"] = "a-test"
        self._api.apply_secret(objects.secret_name(spec.start_id), objects.secret(spec))
        self._api.apply_claim(claim_name(spec.workspace_id), objects.claim(spec, Place(self._name, "")))
        self._api.create_pod(pod)
        return objects.pod_name(spec.workspace_id)

    def address(self, pod: str) -> tuple[str, int]:
        """Where its server listens, once it does."""
        return until(lambda: self._address(pod)), PORT

    def reached(self, places: Places) -> dict[str, bool]:
        """From a pod of its own."""
        pod = self.start(CALL % places)
        self.address(pod)
        [told] = [line for line in self._api.log(pod, 100).splitlines() if line.startswith("told ")]
        found: dict[str, bool] = json.loads(told.removeprefix("told "))
        return found

    def _address(self, pod: str) -> str | None:
        status = (self._api.pod(pod) or {"status": {}})["status"]
        ready = any(item["type"] == "Ready" and item["status"] == "True" for item in status.get("conditions", []))
        return str(status["podIP"]) if ready else None


@pytest.fixture
def guarded(release: Release) -> Namespace:
    return Namespace(release.environments)


@pytest.fixture
def unguarded() -> Iterator[Namespace]:
    with own_namespace() as name:
        yield Namespace(name)


def pod_address(namespace: str, name: str) -> str:
    pods = client.CoreV1Api(connect(os.environ["KUBECONFIG"])).list_namespaced_pod(namespace).items
    return next(
        pod.status.pod_ip
        for pod in pods
        if pod.metadata and pod.status and pod.status.pod_ip and (pod.metadata.name or "").startswith(name)
    )


METADATA, INTERNET = "169.254.169.254", "203.0.113.10"
"""Where clouds tell a machine's secrets, and an address that is nobody's (RFC 5737), as one of the internet."""


@pytest.fixture
def beyond() -> Iterator[Places]:
    """Something listens at both, on the node itself, where only a command that has the cluster lets it."""
    if "CLUSTER" not in os.environ:
        yield {}
        return
    with ExitStack() as stack:
        for address in (METADATA, INTERNET):
            subprocess.run(["ip", "address", "add", f"{address}/32", "dev", "lo"], check=True)
            stack.callback(subprocess.run, ["ip", "address", "del", f"{address}/32", "dev", "lo"], check=True)
            stack.enter_context(socket.create_server((address, 80)))
        yield {"cloud metadata": (METADATA, 80), "the internet": (INTERNET, 80)}


def private_places(release: Release) -> Places:
    nodes = client.CoreV1Api(connect(os.environ["KUBECONFIG"])).list_node().items
    node = next(item.address for one in nodes if one.status for item in one.status.addresses or [] if item.type == "InternalIP")
    return {
        "the API server's service": ("kubernetes.default.svc", 443),
        "the kubelet": (node, 10250),
        "NGINX": (pod_address(release.namespace, f"{RELEASE}-nginx"), 8080),
    }


@pytest.mark.case("A9-4")
def test_an_environment_reaches_dns_the_hub_and_the_internet_and_nothing_private(
    release: Release, guarded: Namespace, beyond: Places
) -> None:
    neighbour = guarded.start()
    places = {
        "the hub": (f"{RELEASE}-hub.{release.namespace}.svc", 8501),
        "a neighbour": guarded.address(neighbour),
        **beyond,
        **private_places(release),
    }
    assert guarded.reached(places) == {name: name in {"the hub", "the internet"} for name in places}


@pytest.mark.case("A9-4")
def test_without_the_policies_it_would_reach_them(
    release: Release, guarded: Namespace, unguarded: Namespace, beyond: Places
) -> None:
    """So it is the policies that keep it; and an environment is closed to pods of other namespaces too."""
    neighbour = guarded.start()
    places = {**beyond, **private_places(release), "an environment": guarded.address(neighbour)}
    assert unguarded.reached(places) == {name: name != "an environment" for name in places}


@pytest.mark.case("A9-4")
def test_helm_s_test_says_whether_the_network_keeps_environments_apart(release: Release) -> None:
    test = ("test", RELEASE, "-n", release.namespace, "--timeout", "120s")
    run("helm", *test)
    policies = ("-n", release.environments, "networkpolicy", f"{RELEASE}-everything", f"{RELEASE}-environments")
    kept = kubectl("get", "-o", "yaml", *policies)
    kubectl("delete", *policies)
    try:
        done = subprocess.run(command("helm", *test), capture_output=True, text=True, check=False)
        assert done.returncode != 0, done.stdout
        said = kubectl("logs", "-n", release.environments, f"{RELEASE}-network-test")
    finally:
        subprocess.run(command("kubectl", "apply", "-f", "-"), input=kept, text=True, check=True)
        kubectl("delete", "pod", "-n", release.environments, f"{RELEASE}-network-test")
    assert "does not enforce NetworkPolicies" in said


@pytest.mark.case("A2-7")
def test_where_the_network_keeps_nobody_away_a_header_with_a_name_opens_no_environment(unguarded: Namespace) -> None:
    image, keys = os.environ["TEST_ENVIRONMENT_IMAGE"], (Signer().jwk,)
    host, port = unguarded.address(unguarded.start(image=image, keys=keys, memory=1024 * MIB))
    for name in ("X-Forwarded-User", "X-Forwarded-Email", "kubeflow-userid", "X-Podium-Assertion"):
        answer = httpx.get(f"http://{host}:{port}/", headers={name: "ada"}, timeout=30)
        assert answer.status_code == 421, (name, answer.status_code)

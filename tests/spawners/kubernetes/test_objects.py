"""The objects of a start, compared whole: nothing a person wrote reaches a name, a label, a command or a variable."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kubernetes.client import ApiClient, V1Pod
from pydantic import ValidationError

from hub.spawners.base import StartSpec
from hub.spawners.kubernetes import objects, reader_pod
from hub.spawners.kubernetes.place import Place
from hub.spawners.placement import Placement

START, ENVIRONMENT, WORKSPACE = "1" * 32, "2" * 32, "3" * 32
SPEC = StartSpec(
    START, ENVIRONMENT, WORKSPACE, "registry.example/environment:1", 2.0, 4 * 2**30, 512, "", ({"kid": "one"},),
    {"ENV_NAME": "Climate", "USER_EMAIL": "ada@example.org"}, cpu_request=0.1, memory_request=256 * 2**20, storage=20 * 2**30,
)  # fmt: skip
PLACE = Place("podium-environments", "registry.example/hub:1", "fast")
TOLERATION = {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}
BESIDE = {"spec": {"tolerations": [TOLERATION]}}


def plain(thing: object) -> Any:
    return ApiClient().sanitize_for_serialization(thing)  # type: ignore[no-untyped-call]


@pytest.mark.case("CVE-2020-15110")
@pytest.mark.case("A9-1")
@pytest.mark.case("A9-3")
@pytest.mark.case("A5-9")
@pytest.mark.case("CVE-2026-46354")
def test_the_pod_of_a_start() -> None:
    probe = {"httpGet": {"path": "/_podium/health", "port": 8501}, "timeoutSeconds": 5}
    assert plain(objects.pod(SPEC, PLACE)) == {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": f"environment-{WORKSPACE}",
            "labels": {
                "app": "cmbcluster-user-env",
                "app.kubernetes.io/name": "podium",
                "app.kubernetes.io/managed-by": "podium",
                "podium/role": "environment",
                "podium/start": START,
                "podium/workspace": WORKSPACE,
                "podium/environment": ENVIRONMENT,
            },
        },
        "spec": {
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "terminationGracePeriodSeconds": 10,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": 1000,
                "runAsGroup": 1000,
                "fsGroup": 1000,
                "fsGroupChangePolicy": "OnRootMismatch",
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [
                {
                    "name": "environment",
                    "image": "registry.example/environment:1",
                    "imagePullPolicy": "IfNotPresent",
                    "env": [{"name": "PODIUM_ADDRESS", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}],
                    "ports": [{"name": "http", "containerPort": 8501}],
                    "resources": {
                        "requests": {"cpu": "100m", "memory": "268435456", "ephemeral-storage": "67108864"},
                        "limits": {"cpu": "2000m", "memory": "4294967296", "ephemeral-storage": "2147483648"},
                    },
                    "securityContext": {
                        "allowPrivilegeEscalation": False,
                        "capabilities": {"drop": ["ALL"]},
                        "readOnlyRootFilesystem": True,
                    },
                    "startupProbe": {**probe, "periodSeconds": 1, "failureThreshold": 900},
                    "readinessProbe": {**probe, "periodSeconds": 10, "failureThreshold": 3},
                    "terminationMessagePolicy": "FallbackToLogsOnError",
                    "volumeMounts": [
                        {"name": "workspace", "mountPath": "/workspace"},
                        {"name": "spec", "mountPath": "/run/podium", "readOnly": True},
                        {"name": "scratch", "mountPath": "/tmp"},
                        {"name": "shared-memory", "mountPath": "/dev/shm"},
                    ],
                }
            ],
            "volumes": [
                {"name": "workspace", "persistentVolumeClaim": {"claimName": f"workspace-{WORKSPACE}"}},
                {"name": "spec", "secret": {"secretName": f"start-{START}", "defaultMode": 0o440}},
                {"name": "scratch", "emptyDir": {"sizeLimit": "2147483648"}},
                {"name": "shared-memory", "emptyDir": {"medium": "Memory", "sizeLimit": "2147483648"}},
            ],
        },
    }


def test_the_pod_of_a_start_with_devices_on_nodes_of_its_own() -> None:
    placement = Placement.model_validate(
        {
            "resources": {"nvidia.com/gpu": 2, "nvidia.com/mig-1g.10gb": 1},
            "node_selector": {"nvidia.com/gpu.product": "NVIDIA-H100"},
            "tolerations": [TOLERATION],
            "priority_class": "research",
            "claim_template": "one-gpu",
            "runtime_class": "gvisor",
        }
    )
    spec = plain(objects.pod(replace(SPEC, placement=placement), PLACE))["spec"]
    devices = {"nvidia.com/gpu": "2", "nvidia.com/mig-1g.10gb": "1"}
    ordinary = plain(objects.pod(SPEC, PLACE))["spec"]
    resources, usual = spec["containers"][0].pop("resources"), ordinary["containers"][0].pop("resources")
    assert resources == {
        "claims": [{"name": "devices"}],
        "requests": usual["requests"] | devices,
        "limits": usual["limits"] | devices,
    }
    assert spec == ordinary | {
        "nodeSelector": {"nvidia.com/gpu.product": "NVIDIA-H100"},
        "tolerations": [TOLERATION],
        "priorityClassName": "research",
        "runtimeClassName": "gvisor",
        "resourceClaims": [{"name": "devices", "resourceClaimTemplateName": "one-gpu"}],
    }


@pytest.mark.case("A9-2")
@pytest.mark.parametrize("build", [objects.pod, lambda _, place: reader_pod.build("4" * 32, WORKSPACE, place, ["size"], None)])
def test_every_pod_has_user_namespaces_and_pull_secrets_where_they_are_set(build: Callable[..., V1Pod]) -> None:
    ordinary = plain(build(SPEC, PLACE))["spec"]
    spec = plain(build(SPEC, replace(PLACE, user_namespaces=True, pull_secrets=("registry",))))["spec"]
    assert spec == ordinary | {"hostUsers": False, "imagePullSecrets": [{"name": "registry"}]}


@pytest.mark.parametrize(
    "wrong",
    [
        {"resources": {"cpu": 1}},
        {"resources": {"nvidia.com/gpu": 0}},
        {"resources": {"nvidia.com/gpu": "1.5"}},
        {"node_selector": {"a b": "x"}},
        {"tolerations": [{"key": "x", "effect": "Never"}]},
        {"tolerations": [{"effect": "NoSchedule"}]},
        {"tolerations": [{"key": "x", "operator": "Exists", "value": "y"}]},
        {"priority_class": "system node critical"},
        {"claim_template": "../x"},
        {"host_network": True},
    ],
)
def test_a_placement_that_no_api_server_would_take_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Placement.model_validate(wrong)


def test_the_secret_of_a_start() -> None:
    secret = plain(objects.secret(SPEC))
    said = json.loads(secret["stringData"].pop("spec.json"))
    assert secret == {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "Opaque",
        "stringData": {},
        "metadata": {
            "name": f"start-{START}",
            "labels": {
                "app.kubernetes.io/name": "podium",
                "app.kubernetes.io/managed-by": "podium",
                "podium/role": "environment",
                "podium/start": START,
            },
        },
    }
    assert said == {
        "server": {
            "start_id": START,
            "environment_id": ENVIRONMENT,
            "name": "Climate",
            "base_url": "",
            "keys": [{"kid": "one"}],
        },
        "variables": {"ENV_NAME": "Climate", "USER_EMAIL": "ada@example.org"},
        "cpu": 2.0,
        "memory": 4 * 2**30,
        "processes": 512,
    }


@pytest.mark.parametrize("storage_class", ["fast", None])
def test_the_claim_of_a_workspace(storage_class: str | None) -> None:
    named = {"storageClassName": storage_class} if storage_class else {}
    assert plain(objects.claim(SPEC, replace(PLACE, storage_class=storage_class))) == {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {
            "name": f"workspace-{WORKSPACE}",
            "labels": {
                "app.kubernetes.io/name": "podium",
                "app.kubernetes.io/managed-by": "podium",
                "podium/role": "workspace",
                "podium/workspace": WORKSPACE,
            },
        },
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "21474836480"}}, **named},
    }


@pytest.mark.case("CVE-2020-15110")
@pytest.mark.case("A9-7")
@pytest.mark.case("A2-9")
@settings(deadline=None)
@given(name=st.text(), email=st.text(), owner=st.text())
def test_what_a_person_wrote_is_nowhere_but_in_the_secret_s_json(name: str, email: str, owner: str) -> None:
    """Kubernetes would expand `$(NAME)` in a variable or a command; in a mounted file it expands nothing."""
    theirs = replace(SPEC, variables={"ENV_NAME": name, "USER_EMAIL": email, "USER_ID": owner})
    assert plain(objects.pod(theirs, PLACE)) == plain(objects.pod(SPEC, PLACE))
    assert plain(objects.claim(theirs, PLACE)) == plain(objects.claim(SPEC, PLACE))
    ours, secret = plain(objects.secret(SPEC)), plain(objects.secret(theirs))
    assert json.loads(secret["stringData"].pop("spec.json"))["variables"] == dict(theirs.variables)
    del ours["stringData"]["spec.json"]
    assert secret == ours


def test_a_reader_sees_one_volume_read_only_and_lies_beside_the_environment_that_has_it() -> None:
    pod = plain(reader_pod.build("4" * 32, WORKSPACE, PLACE, ["size"], BESIDE))
    assert pod["metadata"]["name"] == "reader-" + "4" * 32
    assert pod["spec"]["volumes"] == [
        {"name": "workspace", "persistentVolumeClaim": {"claimName": f"workspace-{WORKSPACE}", "readOnly": True}}
    ]
    assert pod["spec"]["containers"][0]["command"] == ["python", "-m", "hub.spawners.kubernetes.reader", "size"]
    assert pod["spec"]["affinity"]["podAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"] == [
        {
            "labelSelector": {"matchLabels": {"podium/workspace": WORKSPACE, "podium/role": "environment"}},
            "topologyKey": "kubernetes.io/hostname",
        }
    ]
    assert pod["spec"]["tolerations"] == [TOLERATION]
    assert "affinity" not in plain(reader_pod.build("4" * 32, WORKSPACE, PLACE, ["size"], None))["spec"]


def test_readers_are_held_as_tightly_as_environments() -> None:
    reader = plain(reader_pod.build("4" * 32, WORKSPACE, PLACE, ["size"], None))["spec"]
    environment = plain(objects.pod(SPEC, PLACE))["spec"]
    for same in ("securityContext", "automountServiceAccountToken", "enableServiceLinks", "restartPolicy"):
        assert reader[same] == environment[same]
    assert reader["containers"][0]["securityContext"] == environment["containers"][0]["securityContext"]
    assert reader["activeDeadlineSeconds"] == reader_pod.LONGEST

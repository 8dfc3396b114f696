"""The objects of a start, as pure functions of its spec: no clock, no chance, nothing read.

Names are made of Podium's random ids alone. What a person wrote is never part of a name, a label, a
command or a variable: it travels as JSON in the Secret, which nothing expands (a container's
`env` would have `$(NAME)` expanded by Kubernetes). The pod is named after the workspace, so the API server itself
refuses a second pod for a workspace.
"""

import json
from typing import Any

from kubernetes.client import (
    V1Capabilities,
    V1Container,
    V1ContainerPort,
    V1EmptyDirVolumeSource,
    V1EnvVar,
    V1EnvVarSource,
    V1HTTPGetAction,
    V1ObjectFieldSelector,
    V1ObjectMeta,
    V1PersistentVolumeClaim,
    V1PersistentVolumeClaimSpec,
    V1PersistentVolumeClaimVolumeSource,
    V1Pod,
    V1PodSecurityContext,
    V1PodSpec,
    V1Probe,
    V1ResourceRequirements,
    V1SeccompProfile,
    V1Secret,
    V1SecretVolumeSource,
    V1SecurityContext,
    V1Volume,
    V1VolumeMount,
    V1VolumeResourceRequirements,
)

from hub.spawners.base import StartSpec
from hub.spawners.kubernetes.place import Place
from hub.spawners.supervised import supervised

START, WORKSPACE, ENVIRONMENT, ROLE = "podium/start", "podium/workspace", "podium/environment", "podium/role"
"""Labels. All values are ids, or words of this module."""
STARTS = f"{ROLE}=environment"
"""The selector of the pods of starts."""
OURS = "app.kubernetes.io/managed-by=podium"
"""The selector of all that the hub makes."""
CONTAINER = "environment"
PORT = 8501
USER = 1000
"""The account in a pod, and the group that its volume belongs to."""
GRACE = 10
"""Seconds between SIGTERM and SIGKILL; the supervisor in the pod takes five of them at most."""
_SCRATCH = 2 * 2**30
"""Bytes of `/tmp`, and of all that is written outside the workspace."""
_SCRATCH_REQUEST = 64 * 2**20
"""Bytes of it that a node must have free."""


def pod_name(workspace_id: str) -> str:
    return f"environment-{workspace_id}"


def secret_name(start_id: str) -> str:
    return f"start-{start_id}"


def claim_name(workspace_id: str) -> str:
    return f"workspace-{workspace_id}"


def pod(spec: StartSpec) -> V1Pod:
    ids = {START: spec.start_id, WORKSPACE: spec.workspace_id, ENVIRONMENT: spec.environment_id}
    return V1Pod(
        api_version="v1",
        kind="Pod",
        metadata=V1ObjectMeta(
            name=pod_name(spec.workspace_id),
            labels=labels("environment") | ids | {"app": "cmbcluster-user-env"},
        ),
        spec=V1PodSpec(
            restart_policy="Never",
            automount_service_account_token=False,
            enable_service_links=False,
            termination_grace_period_seconds=GRACE,
            security_context=pod_security(),
            containers=[_container(spec)],
            volumes=_volumes(spec),
        ),
    )


def secret(spec: StartSpec) -> V1Secret:
    """What the first process of the pod reads (`environment.pod`)."""
    return V1Secret(
        api_version="v1",
        kind="Secret",
        metadata=V1ObjectMeta(name=secret_name(spec.start_id), labels=labels("environment") | {START: spec.start_id}),
        string_data={"spec.json": json.dumps(supervised(spec))},
        type="Opaque",
    )


def claim(spec: StartSpec, place: Place) -> V1PersistentVolumeClaim:
    return V1PersistentVolumeClaim(
        api_version="v1",
        kind="PersistentVolumeClaim",
        metadata=V1ObjectMeta(name=claim_name(spec.workspace_id), labels=labels("workspace") | {WORKSPACE: spec.workspace_id}),
        spec=V1PersistentVolumeClaimSpec(
            access_modes=["ReadWriteOnce"],
            resources=V1VolumeResourceRequirements(requests={"storage": str(spec.storage)}),
            storage_class_name=place.storage_class,
        ),
    )


def pod_security() -> V1PodSecurityContext:
    """What Pod Security's level "restricted" asks of a pod, and a volume that the account may write."""
    return V1PodSecurityContext(
        run_as_non_root=True,
        run_as_user=USER,
        run_as_group=USER,
        fs_group=USER,
        fs_group_change_policy="OnRootMismatch",
        seccomp_profile=V1SeccompProfile(type="RuntimeDefault"),
    )


def container_security() -> V1SecurityContext:
    return V1SecurityContext(
        allow_privilege_escalation=False,
        capabilities=V1Capabilities(drop=["ALL"]),
        read_only_root_filesystem=True,
    )


def address_variable() -> V1EnvVar:
    """The pod's own address, the only one that its server listens on."""
    source = V1EnvVarSource(field_ref=V1ObjectFieldSelector(field_path="status.podIP"))
    return V1EnvVar(name="PODIUM_ADDRESS", value_from=source)


def claim_volume(workspace_id: str, *, read_only: bool = False) -> V1Volume:
    source = V1PersistentVolumeClaimVolumeSource(claim_name=claim_name(workspace_id), read_only=read_only or None)
    return V1Volume(name="workspace", persistent_volume_claim=source)


def labels(role: str) -> dict[str, str]:
    return {"app.kubernetes.io/name": "podium", "app.kubernetes.io/managed-by": "podium", ROLE: role}


def _container(spec: StartSpec) -> V1Container:
    return V1Container(
        name=CONTAINER,
        image=spec.image,
        image_pull_policy="IfNotPresent",
        env=[address_variable()],
        ports=[V1ContainerPort(name="http", container_port=PORT)],
        resources=_resources(spec),
        security_context=container_security(),
        startup_probe=_probe(period=1, failures=900),
        readiness_probe=_probe(period=10, failures=3),
        termination_message_policy="FallbackToLogsOnError",
        volume_mounts=[
            V1VolumeMount(name="workspace", mount_path="/workspace"),
            V1VolumeMount(name="spec", mount_path="/run/podium", read_only=True),
            V1VolumeMount(name="scratch", mount_path="/tmp"),  # noqa: S108 (the pod's own)
            V1VolumeMount(name="shared-memory", mount_path="/dev/shm"),  # noqa: S108
        ],
    )


def _resources(spec: StartSpec) -> V1ResourceRequirements:
    """Every limit has its request: Kubernetes would take the limit for one that is missing, and fill its nodes with nothing."""
    return V1ResourceRequirements(
        requests={
            "cpu": _cores(spec.cpu_request),
            "memory": str(min(spec.memory_request, spec.memory)),
            "ephemeral-storage": str(_SCRATCH_REQUEST),
        },
        limits={"cpu": _cores(spec.cpu), "memory": str(spec.memory), "ephemeral-storage": str(_SCRATCH)},
    )


def _cores(amount: float) -> str:
    return f"{max(1, round(amount * 1000))}m"


def _probe(*, period: int, failures: int) -> V1Probe:
    asked: Any = V1HTTPGetAction(path="/_podium/health", port=PORT)
    return V1Probe(http_get=asked, period_seconds=period, timeout_seconds=5, failure_threshold=failures)


def _volumes(spec: StartSpec) -> list[V1Volume]:
    return [
        claim_volume(spec.workspace_id),
        V1Volume(name="spec", secret=V1SecretVolumeSource(secret_name=secret_name(spec.start_id), default_mode=0o440)),
        V1Volume(name="scratch", empty_dir=V1EmptyDirVolumeSource(size_limit=str(_SCRATCH))),
        V1Volume(
            name="shared-memory",
            empty_dir=V1EmptyDirVolumeSource(medium="Memory", size_limit=str(spec.memory // 2)),
        ),
    ]

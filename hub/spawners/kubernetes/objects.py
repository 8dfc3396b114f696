"""The objects of a start, as pure functions of its spec: no clock, no chance, nothing read.

Names are made of Podium's random ids alone. What a person wrote is never part of a name, a label, a
command or a variable: it travels as JSON in the Secret, which nothing expands (a container's
`env` would have `$(NAME)` expanded by Kubernetes). The pod is named after the workspace, so the API server itself
refuses a second pod for a workspace.
"""

import json

from kubernetes.client import (
    V1EmptyDirVolumeSource,
    V1ObjectMeta,
    V1PersistentVolumeClaim,
    V1PersistentVolumeClaimSpec,
    V1Pod,
    V1PodResourceClaim,
    V1PodSpec,
    V1Secret,
    V1SecretVolumeSource,
    V1Toleration,
    V1Volume,
    V1VolumeResourceRequirements,
)

from hub.spawners.base import StartSpec
from hub.spawners.kubernetes.container import DEVICES, SCRATCH, container
from hub.spawners.kubernetes.parts import (
    ENVIRONMENT,
    START,
    WORKSPACE,
    claim_name,
    claim_volume,
    host_users,
    labels,
    pod_security,
    pull_secrets,
)
from hub.spawners.kubernetes.place import Place
from hub.spawners.placement import Placement
from hub.spawners.supervised import supervised

GRACE = 10
"""Seconds between SIGTERM and SIGKILL; the supervisor in the pod takes five of them at most."""
ENDS_WITHIN = GRACE + 10.0
"""Seconds after which a pod that was told to end is not waited for any more."""


def pod_name(workspace_id: str) -> str:
    return f"environment-{workspace_id}"


def secret_name(start_id: str) -> str:
    return f"start-{start_id}"


def pod(spec: StartSpec, place: Place) -> V1Pod:
    wanted = spec.placement
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
            host_users=host_users(place),
            image_pull_secrets=pull_secrets(place),
            node_selector=dict(wanted.node_selector) or None,
            tolerations=_tolerations(wanted),
            runtime_class_name=wanted.runtime_class,
            priority_class_name=wanted.priority_class,
            resource_claims=_device_claims(wanted),
            termination_grace_period_seconds=GRACE,
            security_context=pod_security(),
            containers=[container(spec)],
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


def _volumes(spec: StartSpec) -> list[V1Volume]:
    return [
        claim_volume(spec.workspace_id),
        V1Volume(name="spec", secret=V1SecretVolumeSource(secret_name=secret_name(spec.start_id), default_mode=0o440)),
        V1Volume(name="scratch", empty_dir=V1EmptyDirVolumeSource(size_limit=str(SCRATCH))),
        V1Volume(
            name="shared-memory",
            empty_dir=V1EmptyDirVolumeSource(medium="Memory", size_limit=str(spec.memory // 2)),
        ),
    ]


def _tolerations(wanted: Placement) -> list[V1Toleration] | None:
    return [V1Toleration(**one.model_dump(exclude_defaults=True)) for one in wanted.tolerations] or None


def _device_claims(wanted: Placement) -> list[V1PodResourceClaim] | None:
    if not wanted.claim_template:
        return None
    return [V1PodResourceClaim(name=DEVICES, resource_claim_template_name=wanted.claim_template)]

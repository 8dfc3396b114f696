"""The small pods that read a volume, as pure functions."""

import gzip
from datetime import datetime, timedelta
from typing import Any

from kubernetes.client import (
    V1Affinity,
    V1Container,
    V1LabelSelector,
    V1ObjectMeta,
    V1Pod,
    V1PodAffinity,
    V1PodAffinityTerm,
    V1PodSpec,
    V1Probe,
    V1ResourceRequirements,
    V1TCPSocketAction,
    V1VolumeMount,
)

from hub.spawners.kubernetes.calls import Object
from hub.spawners.kubernetes.parts import (
    ROLE,
    WORKSPACE,
    address_variable,
    claim_volume,
    container_security,
    host_users,
    labels,
    pod_security,
    pull_secrets,
)
from hub.spawners.kubernetes.place import Place
from hub.spawners.kubernetes.reader import PORT
from hub.spawners.kubernetes.reading import is_over

WAITED_FOR = 120.0
"""Seconds that a reader has to start, image pull included, and to measure a volume."""
LONGEST = 3600
"""Seconds after which the cluster ends a reader whose hub has died."""
EMPTY_ARCHIVE = gzip.compress(bytes(1024), mtime=0)
"""A tar.gz with nothing in it."""


def build(reader_id: str, workspace_id: str, place: Place, arguments: list[str], beside: Object | None) -> V1Pod:
    """A pod that runs `hub.spawners.kubernetes.reader` over a workspace that it cannot write to.

    `beside`: the pod that has the volume now, on whose node this one has to be too.
    """
    tolerations: Any = beside["spec"].get("tolerations") if beside else None
    return V1Pod(
        api_version="v1",
        kind="Pod",
        metadata=V1ObjectMeta(
            name=f"reader-{reader_id}",
            labels=labels("reader") | {WORKSPACE: workspace_id},
        ),
        spec=V1PodSpec(
            restart_policy="Never",
            active_deadline_seconds=LONGEST,
            automount_service_account_token=False,
            enable_service_links=False,
            host_users=host_users(place),
            image_pull_secrets=pull_secrets(place),
            tolerations=tolerations,
            termination_grace_period_seconds=1,
            security_context=pod_security(),
            affinity=_beside(workspace_id) if beside else None,
            containers=[_container(place, arguments)],
            volumes=[claim_volume(workspace_id, read_only=True)],
        ),
    )


def of_workspace(workspace_id: str) -> str:
    """The selector of the readers of a workspace."""
    return f"{ROLE}=reader,{WORKSPACE}={workspace_id}"


def is_stray(pod: Object, moment: datetime) -> bool:
    """Whether it has ended and nobody waits for it any more: its hub has died."""
    made = datetime.fromisoformat(pod["metadata"]["creationTimestamp"])
    return is_over(pod) and moment - made > timedelta(seconds=WAITED_FOR)


def serves_or_ended(pod: Object) -> bool:
    status = pod["status"]
    ready = any(item["type"] == "Ready" and item["status"] == "True" for item in status.get("conditions", []))
    return ready or is_over(pod)


def last_word(pod: Object) -> str:
    """What it left as its termination message: the size, or what went wrong."""
    for container in pod["status"].get("containerStatuses", []):
        said: str = container.get("state", {}).get("terminated", {}).get("message", "")
        return said.strip()
    return str(pod["status"].get("message", ""))


def _beside(workspace_id: str) -> V1Affinity:
    selector = V1LabelSelector(match_labels={WORKSPACE: workspace_id, ROLE: "environment"})
    term = V1PodAffinityTerm(label_selector=selector, topology_key="kubernetes.io/hostname")
    return V1Affinity(pod_affinity=V1PodAffinity(required_during_scheduling_ignored_during_execution=[term]))


def _container(place: Place, arguments: list[str]) -> V1Container:
    return V1Container(
        name="reader",
        image=place.reader_image,
        image_pull_policy="IfNotPresent",
        command=["python", "-m", "hub.spawners.kubernetes.reader", *arguments],
        env=[address_variable()],
        resources=V1ResourceRequirements(
            requests={"cpu": "50m", "memory": "64Mi", "ephemeral-storage": "8Mi"},
            limits={"cpu": "1", "memory": "256Mi", "ephemeral-storage": "64Mi"},
        ),
        security_context=container_security(),
        readiness_probe=V1Probe(tcp_socket=V1TCPSocketAction(port=PORT), period_seconds=1)
        if arguments[0] == "archive"
        else None,
        termination_message_policy="FallbackToLogsOnError",
        volume_mounts=[V1VolumeMount(name="workspace", mount_path="/workspace", read_only=True)],
    )

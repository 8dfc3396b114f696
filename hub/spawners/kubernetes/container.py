"""The container of a start. Pure."""

from typing import Any

from kubernetes.client import (
    CoreV1ResourceClaim,
    V1Container,
    V1ContainerPort,
    V1HTTPGetAction,
    V1Probe,
    V1ResourceRequirements,
    V1VolumeMount,
)

from hub.spawners.base import StartSpec
from hub.spawners.kubernetes.parts import address_variable, container_security

NAME = "environment"
PORT = 8501
DEVICES = "devices"
"""The pod's name for the claim that is made of a ResourceClaimTemplate."""
SCRATCH = 2 * 2**30
"""Bytes of `/tmp`, and of all that is written outside the workspace."""
_SCRATCH_REQUEST = 64 * 2**20
"""Bytes of it that a node must have free."""


def container(spec: StartSpec) -> V1Container:
    return V1Container(
        name=NAME,
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
    """Every limit has its request: Kubernetes would take the limit for one that is missing, and fill its nodes with nothing.

    Extended resources are the exception: what is asked for is what there is.
    """
    devices = {name: str(count) for name, count in spec.placement.resources.items()}
    return V1ResourceRequirements(
        claims=[CoreV1ResourceClaim(name=DEVICES)] if spec.placement.claim_template else None,
        requests={
            "cpu": _cores(spec.cpu_request),
            "memory": str(min(spec.memory_request, spec.memory)),
            "ephemeral-storage": str(_SCRATCH_REQUEST),
        }
        | devices,
        limits={"cpu": _cores(spec.cpu), "memory": str(spec.memory), "ephemeral-storage": str(SCRATCH)} | devices,
    )


def _cores(amount: float) -> str:
    return f"{max(1, round(amount * 1000))}m"


def _probe(*, period: int, failures: int) -> V1Probe:
    asked: Any = V1HTTPGetAction(path="/_podium/health", port=PORT)
    return V1Probe(http_get=asked, period_seconds=period, timeout_seconds=5, failure_threshold=failures)

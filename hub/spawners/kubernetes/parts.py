"""What the pods of starts and those that read volumes have in common. Pure."""

from kubernetes.client import (
    V1Capabilities,
    V1EnvVar,
    V1EnvVarSource,
    V1LocalObjectReference,
    V1ObjectFieldSelector,
    V1PersistentVolumeClaimVolumeSource,
    V1PodSecurityContext,
    V1SeccompProfile,
    V1SecurityContext,
    V1Volume,
)

from hub.spawners.kubernetes.place import Place

START, WORKSPACE, ENVIRONMENT, ROLE = "podium/start", "podium/workspace", "podium/environment", "podium/role"
"""Labels. All values are ids, or words of this package."""
STARTS = f"{ROLE}=environment"
"""The selector of the pods of starts."""
VOLUMES = f"{ROLE}=workspace"
"""The selector of the claims of workspaces."""
OURS = "app.kubernetes.io/managed-by=podium"
"""The selector of all that the hub makes."""
USER = 1000
"""The account in a pod, and the group that its volume belongs to."""


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


def claim_name(workspace_id: str) -> str:
    return f"workspace-{workspace_id}"


def pull_secrets(place: Place) -> list[V1LocalObjectReference] | None:
    return [V1LocalObjectReference(name=name) for name in place.pull_secrets] or None


def host_users(place: Place) -> bool | None:
    """Kubernetes takes nothing said for True, on clusters that do not know the field too."""
    return False if place.user_namespaces else None

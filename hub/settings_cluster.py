"""Settings of where environments run."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel

from hub import __version__
from hub.settings_field import setting


class ClusterSettings(BaseModel):
    """This machine, or a namespace of a Kubernetes cluster."""

    spawner: Literal["local", "kubernetes"] = setting(
        "Kubernetes", "local", "`local`: environments are processes on this machine. `kubernetes`: they are pods."
    )
    cluster_name: str = setting(
        "Kubernetes",
        "kubernetes",
        "What pages and the proxy call the cluster. Environments belong to it by this name: do not change it later.",
        pattern=r"^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$",
    )
    kubeconfig: Path | None = setting(
        "Kubernetes", None, "The file with the cluster's credentials. Default: the service account of the hub's own pod."
    )
    cluster_config_path: Path | None = setting(
        "Kubernetes",
        None,
        "A folder with a file `<id>.toml` for each further cluster of the page Clusters (docs/operating/kubernetes.md).",
    )
    namespace: str = setting(
        "Kubernetes",
        "podium-environments",
        "The namespace of environments and their volumes; nothing else should be in it.",
        pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$",
    )
    storage_class_name: str | None = setting(
        "Kubernetes", None, "The storage class of workspaces. Default: the cluster's own default."
    )
    environment_image: str = setting(
        "Kubernetes", f"podium/environment:{__version__}", "The image of environments; a profile may name another one."
    )
    allowed_images: str = setting(
        "Kubernetes",
        "*",
        "The images that environments may run, separated by commas; `*` stands for anything. Others are never started.",
    )
    image_pull_secrets: str = setting(
        "Kubernetes", "", "Secrets of the environments' namespace with which images are pulled, separated by commas."
    )
    user_namespaces: Literal["auto"] | bool = setting(
        "Kubernetes",
        "auto",
        "Whether accounts in a pod mean nothing on its node (`hostUsers: false`). auto: where all nodes that a pod may come to "
        "say that they can. Volumes whose file system has no mappings of accounts, as NFS, need `false`.",
    )
    hub_image: str = setting(
        "Kubernetes", f"podium/hub:{__version__}", "The hub's own image, with which small pods measure and pack workspaces."
    )

    @property
    def home(self) -> str:
        """The id of the cluster on which this hub launches environments."""
        return "local" if self.spawner == "local" else self.cluster_name

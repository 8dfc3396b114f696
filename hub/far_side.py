"""Where this hub runs environments, as its settings say: the one place that knows every kind of spawner.

A kind is imported where it is chosen: the Kubernetes client takes half a second to load.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hub.clusters import further
from hub.clusters.machine import MachineSource
from hub.clusters.overview import Shown, Source
from hub.environments.catalog import Catalog
from hub.errors import CannotStart
from hub.settings import Settings
from hub.settings_field import listed
from hub.spawners.base import Spawner
from hub.spawners.isolation import pod_isolation

_HOME = {"local": "This machine", "kubernetes": "{}"}
"""What the home of environments is called where nobody named it."""


@dataclass(frozen=True)
class FarSide:
    """`isolation` says in one sentence how far environments are kept apart there."""

    cluster_id: str
    spawner: Spawner
    isolation: Callable[[], str]


def ensure(settings: Settings) -> FarSide:
    """The far side, running. Raises `CannotStart`."""
    return _kubernetes(settings) if settings.spawner == "kubernetes" else _local(settings, start=True)


def connect(settings: Settings) -> FarSide:
    """For commands: starts nothing."""
    return _kubernetes(settings) if settings.spawner == "kubernetes" else _local(settings, start=False)


def shown(settings: Settings, requested: Callable[[], tuple[float, int]]) -> dict[str, Shown]:
    """The clusters of the page Clusters: the home of environments and those of `CLUSTER_CONFIG_PATH`.

    `requested` gives the cores and bytes that environments ask for at home. Raises `CannotStart`.
    """
    told = further.read(settings.cluster_config_path)
    home = told.pop(settings.home, None) or further.About(name=_HOME[settings.spawner].format(settings.home))
    if settings.spawner == "local":
        first = Shown(home.name, lambda: MachineSource(requested), home.links, launches=True)
    else:
        first = Shown(home.name, lambda: _source(settings.kubeconfig), home.links, launches=True)
    others = {cluster_id: _other(cluster_id, about) for cluster_id, about in told.items()}
    return {settings.home: first} | others


def _other(cluster_id: str, about: further.About) -> Shown:
    if about.kubeconfig is None:
        raise CannotStart(f"CLUSTER_CONFIG_PATH: the file of “{cluster_id}” names no kubeconfig.")
    path = about.kubeconfig
    return Shown(about.name, lambda: _source(path), about.links)


def _source(kubeconfig: Path | None) -> Source:
    from hub.clusters.kubernetes import KubernetesSource  # noqa: PLC0415
    from hub.spawners.kubernetes.calls import connect  # noqa: PLC0415

    return KubernetesSource(connect(str(kubeconfig) if kubeconfig else None))


def _local(settings: Settings, *, start: bool) -> FarSide:
    from hub.spawners.local import launch  # noqa: PLC0415

    own = start and settings.local_agent == "own"
    spawner = launch.ensure_agent(settings, Catalog(settings).interpreters) if own else launch.connect(settings)
    return FarSide(settings.home, spawner, spawner.isolation)


def _kubernetes(settings: Settings) -> FarSide:
    from hub.spawners.kubernetes.api import Api  # noqa: PLC0415
    from hub.spawners.kubernetes.calls import connect  # noqa: PLC0415
    from hub.spawners.kubernetes.place import Place  # noqa: PLC0415
    from hub.spawners.kubernetes.spawner import KubernetesSpawner  # noqa: PLC0415

    kubeconfig = str(settings.kubeconfig) if settings.kubeconfig else None
    place = Place(
        settings.namespace,
        settings.hub_image,
        settings.storage_class_name,
        allowed_images=listed(settings.allowed_images),
        pull_secrets=listed(settings.image_pull_secrets),
        user_namespaces=None if settings.user_namespaces == "auto" else settings.user_namespaces,
    )
    for image in Catalog(settings).images:
        if not place.allows(image):
            raise CannotStart(f"ALLOWED_IMAGES leaves out the image “{image}”, which the presets name. Change one of both.")
    spawner = KubernetesSpawner(Api(connect(kubeconfig), settings.namespace), place)
    return FarSide(settings.home, spawner, lambda: pod_isolation(settings.namespace))

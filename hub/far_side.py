"""Where this hub runs environments, as its settings say: the one place that knows every kind of spawner.

A kind is imported where it is chosen: the Kubernetes client takes half a second to load.
"""

from dataclasses import dataclass

from hub.environments.catalog import Catalog
from hub.errors import CannotStart
from hub.settings import Settings
from hub.settings_field import listed
from hub.spawners.base import Spawner
from hub.spawners.isolation import local_isolation, pod_isolation


@dataclass(frozen=True)
class FarSide:
    """`isolation` says in one sentence how far environments are kept apart there."""

    cluster_id: str
    spawner: Spawner
    isolation: str


def ensure(settings: Settings) -> FarSide:
    """The far side, running. Raises `CannotStart`."""
    return _kubernetes(settings) if settings.spawner == "kubernetes" else _local(settings, start=True)


def connect(settings: Settings) -> FarSide:
    """For commands: starts nothing."""
    return _kubernetes(settings) if settings.spawner == "kubernetes" else _local(settings, start=False)


def _local(settings: Settings, *, start: bool) -> FarSide:
    from hub.spawners.local import launch  # noqa: PLC0415

    spawner = launch.ensure_agent(settings, Catalog(settings).interpreters) if start else launch.connect(settings)
    return FarSide(settings.home, spawner, local_isolation())


def _kubernetes(settings: Settings) -> FarSide:
    from hub.spawners.kubernetes.api import Api, connect  # noqa: PLC0415
    from hub.spawners.kubernetes.place import Place  # noqa: PLC0415
    from hub.spawners.kubernetes.spawner import KubernetesSpawner  # noqa: PLC0415

    kubeconfig = str(settings.kubeconfig) if settings.kubeconfig else None
    place = Place(
        settings.namespace,
        settings.hub_image,
        settings.storage_class_name,
        allowed_images=listed(settings.allowed_images),
        pull_secrets=listed(settings.image_pull_secrets),
        user_namespaces=settings.user_namespaces,
    )
    for image in Catalog(settings).images:
        if not place.allows(image):
            raise CannotStart(f"ALLOWED_IMAGES leaves out the image “{image}”, which the presets name. Change one of both.")
    spawner = KubernetesSpawner(Api(connect(kubeconfig), settings.namespace), place)
    return FarSide(settings.home, spawner, pod_isolation(settings.namespace))

"""What the hub asks of a spawner, each at its crossing of the seam."""

from hub.seam import crossing
from hub.spawners.base import Spawner, StartSpec


def order_start(spawner: Spawner, spec: StartSpec) -> None:
    with crossing("order a start"):
        spawner.start(spec)


def order_stop(spawner: Spawner, start_id: str) -> None:
    with crossing("order a stop"):
        spawner.stop(start_id)


def order_forget(spawner: Spawner, start_id: str) -> None:
    with crossing("order to forget"):
        spawner.forget(start_id)

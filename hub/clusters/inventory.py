"""What a cluster has, and what of it is taken: plain frozen rows for pages and the API. Sums are made here."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class Amount:
    """CPU in cores or memory in bytes. None: it is not known, or may not be seen."""

    capacity: float
    requested: float | None = None
    used: float | None = None

    @property
    def free(self) -> float | None:
        """What nobody has asked for."""
        return None if self.requested is None else max(0.0, self.capacity - self.requested)

    def __add__(self, other: "Amount") -> "Amount":
        return Amount(self.capacity + other.capacity, _sum(self.requested, other.requested), _sum(self.used, other.used))


@dataclass(frozen=True)
class Device:
    """GPUs, or other devices that starts ask for by `resource`, of one model. `memory` in bytes for each of them."""

    resource: str
    model: str
    count: int
    requested: int | None = None
    memory: int | None = None
    closed: int = 0
    """Those that nobody has asked for on nodes that take no work."""

    @property
    def free(self) -> int | None:
        """What somebody could ask for now."""
        return None if self.requested is None else max(0, self.count - self.requested - self.closed)

    @property
    def is_gpu(self) -> bool:
        return "gpu" in self.resource or "/mig-" in self.resource


@dataclass(frozen=True)
class Node:
    """`trouble`: the pressures and failures that the node itself reports, by Kubernetes' names for them."""

    name: str
    ready: bool
    cordoned: bool
    cpu: Amount
    memory: Amount
    trouble: tuple[str, ...] = ()
    devices: tuple[Device, ...] = ()

    @property
    def takes_work(self) -> bool:
        return self.ready and not self.cordoned


@dataclass(frozen=True)
class StorageClass:
    name: str
    default: bool = False
    grows: bool = False


@dataclass(frozen=True)
class Inventory:
    """`unseen` says in sentences what Podium may not see there."""

    nodes: tuple[Node, ...] = ()
    storage_classes: tuple[StorageClass, ...] = ()
    unseen: tuple[str, ...] = ()
    claimable: tuple[Device, ...] = field(default=())
    """Devices that are handed out by dynamic resource allocation."""

    @property
    def cpu(self) -> Amount:
        """Of the nodes that take work."""
        return _total(node.cpu for node in self.nodes if node.takes_work)

    @property
    def memory(self) -> Amount:
        """Of the nodes that take work."""
        return _total(node.memory for node in self.nodes if node.takes_work)

    @property
    def devices(self) -> tuple[Device, ...]:
        """By model, those of all nodes together."""
        found: dict[tuple[str, str], Device] = {}
        for device in [device for node in self.nodes for device in _of_node(node)] + list(self.claimable):
            key = (device.model, device.resource)
            found[key] = _together(found[key], device) if key in found else device
        return tuple(found[key] for key in sorted(found))


def _of_node(node: Node) -> Iterable[Device]:
    for device in node.devices:
        yield device if node.takes_work else replace(device, closed=device.free or 0)


def _total(amounts: Iterable[Amount]) -> Amount:
    each = list(amounts)
    return sum(each[1:], each[0]) if each else Amount(0, 0, 0)


def _together(one: Device, other: Device) -> Device:
    requested = _sum(one.requested, other.requested)
    return Device(
        one.resource,
        one.model,
        one.count + other.count,
        None if requested is None else int(requested),
        one.memory if one.memory == other.memory else None,
        one.closed + other.closed,
    )


def _sum(one: float | None, other: float | None) -> float | None:
    """Of what is not wholly known nothing is known."""
    return None if one is None or other is None else one + other

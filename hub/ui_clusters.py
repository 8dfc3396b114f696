"""Words and tables of the page Clusters."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pandas as pd

from hub.clusters.inventory import Amount, Device, Inventory, Node
from hub.clusters.overview import ClusterView
from hub.clusters.quantities import show_bytes
from hub.ui_environment import escaped
from hub.ui_words import ago

MOST_MODELS = 5
"""Of GPUs, in one sentence."""


def silence(view: ClusterView) -> str:
    """What it means that a cluster is silent."""
    last = f" What you see here is from {ago(view.at)}." if view.at else ""
    return f"{view.silent}{last} What runs there goes on, and Podium keeps asking."


def storage(told: Inventory) -> list[str]:
    """The default class of volumes, where one is known."""
    defaults = [one for one in told.storage_classes if one.default]
    return [f"volumes of class {escaped(one.name)}" + (", which grow" if one.grows else "") for one in defaults]


@dataclass(frozen=True)
class Figure:
    """`value` in large, `of` below it, `more` for who points at it."""

    label: str
    value: str
    of: str = ""
    more: str = ""


def free(label: str, amount: Amount, shown: Callable[[float], str], unit: str = "") -> Figure:
    """What nobody has asked for; where that may not be seen, what there is."""
    used = "How much of it is in use is not known." if amount.used is None else f"{shown(amount.used)}{unit} in use."
    if amount.requested is None:
        return Figure(label.replace("free", "in all"), shown(amount.capacity), unit.strip(), used)
    left = max(0.0, amount.capacity - amount.requested)
    return Figure(
        label, shown(left), f"of {shown(amount.capacity)}{unit}", f"{shown(amount.requested)}{unit} asked for. {used}"
    )


def free_gpus(devices: Sequence[Device]) -> Figure:
    """GPUs alone: other devices are in the table."""
    count, left = sum(one.count for one in devices), [one.free for one in devices]
    if None in left:
        return Figure("GPUs in all", str(count))
    return Figure("GPUs free", str(sum(one or 0 for one in left)), f"of {count}")


def cores(amount: float) -> str:
    return f"{amount:,.0f}" if amount >= 10 else f"{amount:.1f}".removesuffix(".0")


def room(told: Inventory | None) -> str:
    """What the roomiest node has free, and how many GPUs, in sentences; empty where it is not known."""
    free = [(node.cpu.free, node.memory.free) for node in told.nodes if node.takes_work] if told else []
    known = [(cpu, memory) for cpu, memory in free if cpu is not None and memory is not None]
    if not known:
        return ""
    cpu, memory = max(known, key=lambda one: (one[1], one[0]))
    return f"The most that one node has free now is {cores(cpu)} cores and {show_bytes(memory)} of memory.{_gpus_free(told)}"


def _gpus_free(told: Inventory | None) -> str:
    models = [one for one in told.devices if one.is_gpu and one.free is not None] if told else []
    counted = ", ".join(f"{one.free} of {one.count} {one.model}" for one in models[:MOST_MODELS])
    return f" GPUs free: {counted}." if counted else ""


def device_table(devices: Sequence[Device]) -> pd.DataFrame:
    """One row for each model."""
    return pd.DataFrame(
        {
            "Device": [one.model for one in devices],
            "Memory": [one.memory / 1e9 if one.memory else None for one in devices],
            "In all": [one.count for one in devices],
            "Taken": [one.requested for one in devices],
            "On closed nodes": [one.closed for one in devices],
            "Free": [one.free for one in devices],
            "Asked for as": [one.resource for one in devices],
        }
    )


def node_table(nodes: Sequence[Node]) -> pd.DataFrame:
    """One row for each node."""
    return pd.DataFrame(
        {
            "Node": [node.name for node in nodes],
            "State": [state(node) for node in nodes],
            "CPU": [node.cpu.capacity for node in nodes],
            "CPU asked for": [share(node.cpu.requested, node.cpu) for node in nodes],
            "CPU in use": [share(node.cpu.used, node.cpu) for node in nodes],
            "Memory": [node.memory.capacity / 1e9 for node in nodes],
            "Memory asked for": [share(node.memory.requested, node.memory) for node in nodes],
            "Memory in use": [share(node.memory.used, node.memory) for node in nodes],
            "Devices": [", ".join(f"{one.count} {one.model}" for one in node.devices) for node in nodes],
        }
    )


def state(node: Node) -> str:
    """In the words of Kubernetes, as administrators know them."""
    said = [] if node.ready else ["not ready"]
    said += ["cordoned"] if node.cordoned else []
    return ", ".join([*said, *node.trouble]) or "ready"


def share(part: float | None, whole: Amount) -> float | None:
    return None if part is None or not whole.capacity else 100 * part / whole.capacity

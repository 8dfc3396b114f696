"""This machine as a cluster of one node: what it has, what environments ask for, and what is used."""

import os
import platform
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from hub.clusters.inventory import Amount, Device, Inventory, Node

_GPUS = Path("/proc/driver/nvidia/gpus")
_MEMORY = Path("/proc/meminfo")


class MachineSource:
    """`requested` gives the cores and the bytes that environments ask for together."""

    def __init__(self, requested: Callable[[], tuple[float, int]], gpus: Path = _GPUS) -> None:
        self._requested, self._gpus = requested, gpus

    def inventory(self) -> Inventory:
        """CPU in use is the load of the last minute, as far as there are cores."""
        cores = os.cpu_count() or 1
        total, available = _memory_of_machine()
        cpu, memory = self._requested()
        node = Node(
            name=platform.node() or "this machine",
            ready=True,
            cordoned=False,
            cpu=Amount(cores, cpu, min(os.getloadavg()[0], cores)),
            memory=Amount(total, memory, total - available),
            devices=_devices(self._gpus),
        )
        return Inventory(nodes=(node,))


def _memory_of_machine() -> tuple[int, int]:
    said = dict(line.split(":") for line in _MEMORY.read_text().splitlines())
    total, available = (int(said[name].split()[0]) * 1024 for name in ("MemTotal", "MemAvailable"))
    return total, available


def _devices(gpus: Path) -> tuple[Device, ...]:
    """As the NVIDIA driver lists them. Nobody hands them out on one machine: whoever runs there sees them all."""
    models: Counter[str] = Counter()
    for path in gpus.glob("*/information"):
        said = dict(line.split(":", 1) for line in path.read_text().splitlines() if ":" in line)
        models[said.get("Model", "NVIDIA").strip()] += 1
    return tuple(Device("nvidia.com/gpu", model, count) for model, count in models.items())

"""The inventory of a cluster, read from Kubernetes' objects. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from hub.clusters.inventory import Amount, Device, Node, StorageClass
from hub.spawners.kubernetes.quantities import amount

Object = Mapping[str, Any]

_OVER = {"Succeeded", "Failed"}
_TROUBLE = ("Pressure", "NetworkUnavailable", "Problem", "Deadlock")
"""How the names of conditions end that are bad where they are true; there are others that are good."""
_MODEL_LABELS = ("nvidia.com/gpu.product", "amd.com/gpu.product-name", "gpu.intel.com/product")
_MEMORY_LABEL = "nvidia.com/gpu.memory"
"""MiB."""
_MIG = "nvidia.com/mig-"
_NO_DEVICES = ("kubernetes.io/", "hugepages-", "attachable-volumes-")
_DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"


def node(found: Object, requested: Mapping[str, float] | None, used: Object | None) -> Node:
    """`requested`: what all pods on it ask for; None where they may not be seen. `used`: its item of `metrics.k8s.io`."""
    status = found["status"]
    conditions = {item["type"]: item["status"] for item in status.get("conditions", [])}
    has = status.get("allocatable", {})
    return Node(
        name=found["metadata"]["name"],
        ready=conditions.get("Ready") == "True",
        cordoned=bool(found["spec"].get("unschedulable")),
        cpu=_amount(has, requested, used, "cpu"),
        memory=_amount(has, requested, used, "memory"),
        trouble=tuple(name for name, value in conditions.items() if value == "True" and name.endswith(_TROUBLE)),
        devices=tuple(_devices(has, found["metadata"].get("labels", {}), requested)),
    )


def add_requests(totals: dict[str, Counter[str]], pods: Iterable[Object]) -> None:
    """Add what these pods ask for to the totals of their nodes. One that has ended asks for nothing."""
    for pod in pods:
        where = pod["spec"].get("nodeName")
        if where and pod["status"].get("phase") not in _OVER:
            totals.setdefault(where, Counter()).update(_of_pod(pod["spec"]))


def storage_class(found: Object) -> StorageClass:
    annotations = found["metadata"].get("annotations", {})
    default = annotations.get(_DEFAULT_CLASS) == "true"
    return StorageClass(found["metadata"]["name"], default, bool(found.get("allowVolumeExpansion")))


def claimable(slices: Iterable[Object]) -> tuple[Device, ...]:
    """The devices of resource slices, by driver and model."""
    found: Counter[tuple[str, str]] = Counter()
    for one in slices:
        driver = one["spec"]["driver"]
        for device in one["spec"].get("devices", []):
            named = device.get("attributes", {}).get("productName", {}).get("string")
            found[driver, named or driver] += 1
    return tuple(Device(driver, model, count) for (driver, model), count in found.items())


def _of_pod(spec: Object) -> Counter[str]:
    """What the scheduler sets aside: the larger of the running and the initialising phase, and the overhead.

    Source: Kubernetes' documentation of init containers, "Resource sharing within containers".
    """
    initial = spec.get("initContainers", [])
    beside = [one for one in initial if one.get("restartPolicy") == "Always"]
    running = _sum_of(one.get("resources", {}).get("requests", {}) for one in [*spec["containers"], *beside])
    for one in initial:
        running |= _sum_of([one.get("resources", {}).get("requests", {})])
    whole = _sum_of([spec.get("resources", {}).get("requests", {})])
    return running | whole if not spec.get("overhead") else (running | whole) + _sum_of([spec["overhead"]])


def _sum_of(asked: Iterable[Mapping[str, str]]) -> Counter[str]:
    total: Counter[str] = Counter()
    for one in asked:
        for name, quantity in one.items():
            total[name] += amount(quantity)  # type: ignore[assignment] # a Counter of parts of cores
    return total


def _amount(has: Object, requested: Mapping[str, float] | None, used: Object | None, name: str) -> Amount:
    return Amount(
        capacity=amount(has.get(name, "0")),
        requested=None if requested is None else float(requested.get(name, 0)),
        used=amount(used["usage"][name]) if used else None,
    )


def _devices(has: Object, labels: Mapping[str, str], requested: Mapping[str, float] | None) -> Iterable[Device]:
    model = next((labels[name] for name in _MODEL_LABELS if name in labels), "")
    for resource, quantity in has.items():
        count = int(amount(quantity)) if _is_device(resource) else 0
        if count:
            taken = None if requested is None else int(requested.get(resource, 0))
            yield Device(resource, _named(resource, model), count, taken, _memory(resource, labels))


def _is_device(resource: str) -> bool:
    return "/" in resource and not resource.startswith(_NO_DEVICES)


def _named(resource: str, model: str) -> str:
    if resource.startswith(_MIG):
        return f"{model or 'NVIDIA'} MIG {resource.removeprefix(_MIG)}"
    return model if model and resource.endswith("/gpu") else resource


def _memory(resource: str, labels: Mapping[str, str]) -> int | None:
    said = labels.get(_MEMORY_LABEL, "")
    return int(said) * 2**20 if resource == "nvidia.com/gpu" and said.isdecimal() else None

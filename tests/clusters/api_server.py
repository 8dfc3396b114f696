"""An API server of a cluster that does not exist: it answers lists from files of objects, and refuses what it was not given."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import yaml  # type: ignore[import-untyped]

from tests.support.http_server import Answering, QuietServer

NODES, PODS = "/api/v1/nodes", "/api/v1/pods"
METRICS = "/apis/metrics.k8s.io/v1beta1/nodes"
CLASSES = "/apis/storage.k8s.io/v1/storageclasses"
SLICES = "/apis/resource.k8s.io/v1/resourceslices"


class ClusterServer(QuietServer):
    """`lists` by path, or the status of a fault. A path that is not there is forbidden.

    `asked` is what came; everything waits while `answers` is not set.
    """

    def __init__(self, lists: Mapping[str, list[Any] | int]) -> None:
        super().__init__(_Handler)
        self.lists = dict(lists)
        self.asked: list[str] = []
        self.answers = threading.Event()
        self.answers.set()


class _Handler(Answering):
    server: ClusterServer

    def do_GET(self) -> None:  # noqa: N802 (the name that the base class looks for)
        url = urlsplit(self.path)
        self.server.asked.append(url.path)
        self.server.answers.wait(60)
        found = self.server.lists.get(url.path)
        if isinstance(found, int):
            self.answer(found, {"message": "a fault of the test"})
            return
        if found is None:
            self.answer(403, {"reason": "Forbidden", "message": f"may not list {url.path}"})
            return
        asked = parse_qs(url.query)
        first, most = int(asked.get("continue", ["0"])[0]), int(asked.get("limit", ["100000"])[0])
        following = str(first + most) if first + most < len(found) else ""
        self.answer(200, {"metadata": {"resourceVersion": "1", "continue": following}, "items": found[first : first + most]})


@contextmanager
def cluster_server(lists: Mapping[str, list[Any] | int]) -> Iterator[ClusterServer]:
    server = ClusterServer(lists)
    with server.running():
        try:
            yield server
        finally:
            server.answers.set()


def kubeconfig(folder: Path, port: int) -> Path:
    """A file with which that port is an API server."""
    path = folder / f"kubeconfig-{port}.yaml"
    named = {"name": "it", "cluster": {"server": f"http://127.0.0.1:{port}"}}
    context = {"name": "it", "context": {"cluster": "it", "user": "nobody"}}
    path.write_text(
        yaml.safe_dump(
            {
                "clusters": [named],
                "contexts": [context],
                "current-context": "it",
                "users": [{"name": "nobody", "user": {"token": "none"}}],
            }
        ),
        encoding="utf-8",
    )
    return path


def node(name: str, *, gpus: int = 0, model: str = "", conditions: tuple[str, ...] = ("Ready",), **spec: Any) -> dict[str, Any]:
    """A node of 16 cores and 64 GiB."""
    has = {"cpu": "16", "memory": "67108864Ki", "pods": "110", "ephemeral-storage": "100Gi", "hugepages-2Mi": "0"}
    labels = {"nvidia.com/gpu.product": model, "nvidia.com/gpu.memory": "81559"} if model else {}
    return {
        "metadata": {"name": name, "labels": labels},
        "spec": spec,
        "status": {
            "allocatable": has | ({"nvidia.com/gpu": str(gpus)} if gpus else {}),
            "conditions": [{"type": one, "status": str(one in conditions)} for one in {"Ready", "PIDPressure", *conditions}],
        },
    }


def pod(where: str, phase: str = "Running", **requests: str) -> dict[str, Any]:
    """One that asks for that; `gpu` for GPUs."""
    asked = {("nvidia.com/gpu" if name == "gpu" else name): amount for name, amount in requests.items()}
    return {"spec": {"nodeName": where, "containers": [{"resources": {"requests": asked}}]}, "status": {"phase": phase}}


def usage(name: str, cpu: str, memory: str) -> dict[str, Any]:
    return {"metadata": {"name": name}, "usage": {"cpu": cpu, "memory": memory}}

"""The far side in Kubernetes: a namespace of its own in the cluster that KUBECONFIG names, with a stand-in as the image."""

import contextlib
import os
import signal
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import Any

import httpx

from hub.clock import new_id
from hub.spawners.base import Observation, StartSpec, State
from hub.spawners.kubernetes.api import Api
from hub.spawners.kubernetes.calls import connect
from hub.spawners.kubernetes.parts import START
from hub.spawners.kubernetes.place import Place
from hub.spawners.kubernetes.spawner import KubernetesSpawner
from tests.cluster.namespace import own_namespace
from tests.spawners.far_side import MIB, Watching, in_state, until, watching_over

STAND_IN = "TEST_STAND_IN_IMAGE"
HUB = "TEST_HUB_IMAGE"
_COUNT = "import os; result = len([name for name in os.listdir('/proc') if name.isdecimal()]) - 1"
"""All processes of the container but the first, which is the supervisor."""


class KubernetesFarSide:
    """Whatever a test leaves in the namespace goes with it."""

    at_once = 20
    told_within = 5.0

    def __init__(self) -> None:
        self._connection = connect(os.environ["KUBECONFIG"])
        self._stack = contextlib.ExitStack()
        self.namespace = self._stack.enter_context(own_namespace())
        self.api = Api(self._connection, self.namespace)
        self.spawner = self._spawner()

    def spec(self, *, at_start: str = "", **changes: Any) -> StartSpec:
        spec = StartSpec(
            new_id(), new_id(), new_id(), os.environ[STAND_IN], 1, 256 * MIB, 64, "", ({"kid": "one"},), {"AT_START": at_start},
            cpu_request=0.01, memory_request=32 * MIB, storage=64 * MIB,
        )  # fmt: skip
        return replace(spec, **changes)

    def run(self, start_id: str, code: str) -> str:
        return self.run_at(until(lambda: in_state(self, start_id, State.READY)), code)

    def run_at(self, seen: Observation, code: str) -> str:
        """As `run`, without asking the cluster where it is."""
        return httpx.post(f"http://{seen.upstream}/run", content=code, timeout=30).text

    def kill(self, start_id: str, number: signal.Signals) -> None:
        with contextlib.suppress(httpx.HTTPError):
            self.run(start_id, f"import os; os.kill(os.getpid(), {int(number)})")

    def processes(self, start_id: str) -> int:
        """None live where the kubelet says that the container has ended: it was their whole world."""
        pods, _ = self.api.list("pods", f"{START}={start_id}")
        statuses = [status for pod in pods for status in pod["status"].get("containerStatuses", [])]
        return int(self.run(start_id, _COUNT)) if any("running" in status["state"] for status in statuses) else 0

    def watching(self) -> AbstractContextManager[Watching]:
        spawner = self._spawner()
        return watching_over(spawner, spawner.close)

    @contextmanager
    def another(self, **place: Any) -> Iterator[KubernetesSpawner]:
        """As a second hub has it, with a memory of its own."""
        spawner = self._spawner(**place)
        try:
            yield spawner
        finally:
            spawner.close()

    def close(self) -> None:
        self.spawner.close()
        self._stack.close()
        self._connection.close()  # type: ignore[no-untyped-call]

    def _spawner(self, **place: Any) -> KubernetesSpawner:
        return KubernetesSpawner(Api(self._connection, self.namespace), Place(self.namespace, os.environ[HUB], **place))

"""The spawner interface over one namespace of one cluster."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from hub.clock import now
from hub.errors import Conflict
from hub.seam import crossing
from hub.spawners.base import Observation, Size, StartSpec, State, Synced, Usage, Volume
from hub.spawners.checks import checked_id, checked_spec
from hub.spawners.kubernetes import objects
from hub.spawners.kubernetes.api import Api
from hub.spawners.kubernetes.calls import Object
from hub.spawners.kubernetes.mirror import Mirror
from hub.spawners.kubernetes.orders import Orders
from hub.spawners.kubernetes.parts import START, STARTS
from hub.spawners.kubernetes.place import Place
from hub.spawners.kubernetes.quantities import amount
from hub.spawners.kubernetes.reading import CHECKPOINTS, has_run, is_over
from hub.spawners.kubernetes.user_namespaces import UserNamespaces
from hub.spawners.kubernetes.volumes import Volumes

_STOPPING_SINCE = "podium/stopping-since"
"""An annotation."""


class KubernetesSpawner:
    """Safe to call from several threads."""

    checkpoints: tuple[str, ...] = CHECKPOINTS
    size_stays = timedelta(hours=1)
    """Each measurement is a pod."""

    def __init__(self, api: Api, place: Place) -> None:
        self._api = api
        self._mirror = Mirror(api)
        namespaces = UserNamespaces(api, place)
        self._orders = Orders(api, place, namespaces, self._mirror)
        self._volumes = Volumes(api, namespaces, self._mirror)

    def close(self) -> None:
        """End the threads; environments go on."""
        self._orders.close()
        self._mirror.close()

    def memory_capacity(self) -> int | None:
        """The cluster's scheduler decides."""
        return None

    def start(self, spec: StartSpec) -> None:
        self._orders.order(checked_spec(spec))

    def stop(self, start_id: str) -> None:
        """A pod that has run keeps its record and its log: its deadline ends it. Another one is deleted."""
        pod = self._mirror.stop(checked_id(start_id))
        if pod is None:
            with crossing("delete a start's pod"):
                self._api.delete_pods(f"{START}={start_id}")
        elif not is_over(pod):
            self._end(pod)

    def observe(self) -> list[Observation]:
        return self._mirror.observations()

    def watch(self) -> Iterator[Observation | Synced]:
        return self._mirror.watch()

    def forget(self, start_id: str) -> None:
        """Of a start that was told to end the pod may have come after all: it goes too."""
        seen = self._mirror.of(checked_id(start_id))
        if seen and seen.state is not State.ENDED and not self._mirror.is_to_stop(start_id):
            raise Conflict("This start has not ended: stop it first.")
        with crossing("forget a start"):
            if pod := self._mirror.pod_of(start_id):
                self._api.delete_pod(pod["metadata"]["name"], pod["metadata"]["uid"])
            self._api.delete_secret(objects.secret_name(start_id))
        self._mirror.forget(start_id)

    def log(self, start_id: str, lines: int) -> str:
        pod = self._mirror.pod_of(checked_id(start_id))
        if pod is None or lines <= 0 or not has_run(pod):
            return ""
        return self._api.log(pod["metadata"]["name"], lines)

    def usage(self) -> list[Usage]:
        running = {objects.pod_name(seen.workspace_id): seen.start_id for seen in self.observe() if seen.state is State.READY}
        measured = self._api.pod_usage(STARTS)
        return [_usage(running[item["metadata"]["name"]], item) for item in measured if item["metadata"]["name"] in running]

    def volumes(self) -> list[Volume]:
        return self._volumes.all()

    def workspace_size(self, workspace_id: str) -> Size:
        return self._volumes.size(checked_id(workspace_id))

    def workspace_archive(self, workspace_id: str) -> Iterator[bytes]:
        return self._volumes.archive(checked_id(workspace_id))

    def delete_workspace(self, workspace_id: str) -> None:
        self._volumes.delete(checked_id(workspace_id))

    def _end(self, pod: Object) -> None:
        metadata = pod["metadata"]
        since = metadata.get("annotations", {}).get(_STOPPING_SINCE)
        overdue = since is not None and now() - datetime.fromisoformat(since) > timedelta(seconds=objects.ENDS_WITHIN)
        if "deletionTimestamp" in metadata:
            return
        if not has_run(pod) or overdue:
            with crossing("delete a start's pod"):
                self._api.delete_pod(metadata["name"], metadata["uid"])
        elif since is None:
            with crossing("set a pod's deadline"):
                self._api.patch_pod(metadata["name"], metadata["uid"], _deadline())


def _deadline() -> dict[str, Any]:
    """Ends a pod now."""
    return {"metadata": {"annotations": {_STOPPING_SINCE: now().isoformat()}}, "spec": {"activeDeadlineSeconds": 1}}


def _usage(start_id: str, measured: Object) -> Usage:
    used = measured["containers"][0]["usage"]
    return Usage(start_id, datetime.fromisoformat(measured["timestamp"]), int(amount(used["memory"])), None, None)

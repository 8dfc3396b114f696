"""Asks a Kubernetes cluster for its inventory: a handful of lists, whatever its size, page by page."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from kubernetes import client

from hub.clusters import nodes
from hub.clusters.inventory import Inventory
from hub.errors import ClusterSilent
from hub.spawners.kubernetes.calls import ABSENT, FORBIDDEN, Object, Refusal, call, pages, parsed

_UNSEEN = "Podium may not see {} there: give its account the role that the chart calls `clusterRole`."


class KubernetesSource:
    """Safe to call from several threads."""

    def __init__(self, connection: client.ApiClient) -> None:
        self._core = client.CoreV1Api(connection)
        self._storage = client.StorageV1Api(connection)
        self._resources = client.ResourceV1Api(connection)
        self._custom = client.CustomObjectsApi(connection)

    def inventory(self) -> Inventory:
        """Everything that may be seen. Raises `ClusterSilent`."""
        unseen: list[str] = []

        def seen(what: str, ask: Callable[[], Any], otherwise: Any) -> Any:
            try:
                return ask()
            except Refusal as refusal:
                if refusal.code not in {ABSENT, FORBIDDEN}:
                    raise
                if refusal.code == FORBIDDEN:
                    unseen.append(_UNSEEN.format(what))
                return otherwise

        found = seen("nodes", lambda: list(_items(self._core.list_node)), [])
        requested = seen("what pods ask for", self._requested, None)
        used = seen("what nodes use", self._used, {})
        classes = seen("storage classes", lambda: list(_items(self._storage.list_storage_class)), [])
        slices = seen("resource slices", lambda: list(_items(self._resources.list_resource_slice)), [])
        return Inventory(
            nodes=tuple(nodes.node(one, _of(requested, one), used.get(one["metadata"]["name"])) for one in found),
            storage_classes=tuple(nodes.storage_class(one) for one in classes),
            unseen=tuple(unseen),
            claimable=nodes.claimable(slices),
        )

    def _requested(self) -> dict[str, Counter[str]]:
        """By node. No more than one page of pods is held at a time."""
        totals: dict[str, Counter[str]] = {}
        for page in pages(self._core.list_pod_for_all_namespaces):
            nodes.add_requests(totals, page["items"])
        return totals

    def _used(self) -> dict[str, Object]:
        """By node, as the metrics server last measured; nothing while it is away, for which the API server answers 503."""
        try:
            answer = call(self._custom.list_cluster_custom_object, "metrics.k8s.io", "v1beta1", "nodes")
        except Refusal:
            raise
        except ClusterSilent:
            return {}
        return {one["metadata"]["name"]: one for one in parsed(answer)["items"]}


def _items(ask: Callable[..., Any]) -> Iterator[Object]:
    for page in pages(ask):
        yield from page["items"]


def _of(requested: dict[str, Counter[str]] | None, node: Object) -> Counter[str] | None:
    return None if requested is None else requested.get(node["metadata"]["name"], Counter())

"""Pods get accounts of their own where every node that they may come to can give them; the nodes are seldom asked."""

from collections.abc import Iterator
from typing import Any

import pytest
from kubernetes import client

from hub.errors import ClusterSilent
from hub.spawners.kubernetes.api import Api
from hub.spawners.kubernetes.place import Place
from hub.spawners.kubernetes.user_namespaces import UserNamespaces
from hub.spawners.placement import Placement
from tests.clusters.api_server import NODES, ClusterServer, cluster_server

ANYWHERE, GPU = Placement(), Placement(node_selector={"kind": "gpu"})


def node(kind: str, **runtimes: bool) -> dict[str, Any]:
    """`default` is the runtime without a name."""
    handlers = [
        {"name": "" if name == "default" else name, "features": {"userNamespaces": can}} for name, can in runtimes.items()
    ]
    return {"metadata": {"name": kind, "labels": {"kind": kind}}, "status": {"runtimeHandlers": handlers}}


ABLE, UNABLE = node("gpu", default=True, gvisor=False), node("old", default=False)
SILENT: dict[str, Any] = {"metadata": {"name": "older", "labels": {}}, "status": {}}
BARE: dict[str, Any] = {"metadata": {"name": "bare"}, "status": {"runtimeHandlers": [{"name": ""}]}}


@pytest.fixture
def server() -> Iterator[ClusterServer]:
    with cluster_server({NODES: [ABLE]}) as server:
        yield server


def namespaces(server: ClusterServer, *, wanted: bool | None = None) -> UserNamespaces:
    connection = client.ApiClient(client.Configuration(host=f"http://127.0.0.1:{server.server_port}"))
    return UserNamespaces(Api(connection, "environments"), Place("environments", "hub", user_namespaces=wanted))


@pytest.mark.case("A9-2")
@pytest.mark.parametrize(
    ("nodes", "placement", "given"),
    [
        ([ABLE], ANYWHERE, True), ([ABLE, UNABLE], ANYWHERE, False), ([ABLE, SILENT], ANYWHERE, False),
        ([ABLE, BARE], ANYWHERE, False), ([], ANYWHERE, False), ([ABLE, UNABLE, SILENT], GPU, True),
        ([UNABLE], GPU, False), ([ABLE], Placement(runtime_class="gvisor"), False),
        ([node("new", default=True, gvisor=True)], Placement(runtime_class="gvisor"), True),
    ],
)  # fmt: skip
def test_a_pod_has_accounts_of_its_own_where_all_nodes_that_it_may_come_to_can_give_them(
    server: ClusterServer, nodes: list[Any], placement: Placement, *, given: bool
) -> None:
    server.lists[NODES] = nodes
    assert namespaces(server).place_for(placement).user_namespaces is given


def test_the_nodes_are_asked_once_for_many_pods_and_not_at_all_where_a_setting_decides(server: ClusterServer) -> None:
    asked = namespaces(server)
    for _ in range(5):
        asked.place_for(ANYWHERE)
    for decided in (True, False):
        assert namespaces(server, wanted=decided).place_for(ANYWHERE).user_namespaces is decided
    assert server.asked == [NODES]


def test_where_nodes_may_not_be_listed_pods_share_their_accounts_and_a_silent_server_decides_nothing(
    server: ClusterServer,
) -> None:
    del server.lists[NODES]
    assert namespaces(server).place_for(ANYWHERE).user_namespaces is False
    server.lists[NODES] = 503
    waiting = namespaces(server)
    with pytest.raises(ClusterSilent):
        waiting.place_for(ANYWHERE)
    server.lists[NODES] = [ABLE]
    assert waiting.place_for(ANYWHERE).user_namespaces is True

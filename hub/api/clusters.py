"""Clusters over the API: what there is to compute with, and how much of it is free."""

from typing import Annotated, TypeVar

from fastapi import APIRouter, Path

from hub.api.callers import Hub, ReadsClusters
from hub.api.paging import Page, Pages, Paging, page_of
from hub.api.problems import documented
from hub.api.shapes_clusters import Amount, Cluster, Device, Node
from hub.clusters.overview import ClusterView
from hub.errors import NotFound

router = APIRouter(tags=["clusters"])
T = TypeVar("T")


@router.get("/clusters")
def list_clusters(_: ReadsClusters, hub: Hub, paging: Pages) -> Page[Cluster]:
    """Every cluster. `silent` says why nothing newer was heard of one."""
    return page_of(paging, _cut(paging, hub.clusters.look()), _cluster)


@router.get("/clusters/{cluster_id}/nodes", responses=documented(404))
def list_nodes(
    _: ReadsClusters,
    hub: Hub,
    paging: Pages,
    cluster_id: Annotated[str, Path(max_length=32, description="As the list gives it.")],
) -> Page[Node]:
    """The nodes of a cluster by name, as last heard."""
    found = next((view for view in hub.clusters.look() if view.id == cluster_id), None)
    if found is None:
        raise NotFound("There is no such cluster.")
    nodes = sorted(found.inventory.nodes, key=lambda node: node.name) if found.inventory else []
    return page_of(paging, _cut(paging, nodes), Node.model_validate)


@router.get("/gpus")
def list_gpus(_: ReadsClusters, hub: Hub, paging: Pages) -> Page[Device]:
    """GPUs and other devices of every cluster by model."""
    found = [(view.id, device) for view in hub.clusters.look() if view.inventory for device in view.inventory.devices]
    return page_of(paging, _cut(paging, found), lambda pair: Device(cluster_id=pair[0], free=pair[1].free, **vars(pair[1])))


def _cluster(view: ClusterView) -> Cluster:
    told = view.inventory
    return Cluster(
        id=view.id,
        name=view.name,
        launches=view.launches,
        at=view.at,
        silent=view.silent,
        links=dict(view.links),
        nodes=len(told.nodes) if told else None,
        cpu=Amount.model_validate(told.cpu) if told else None,
        memory=Amount.model_validate(told.memory) if told else None,
        unseen=list(told.unseen) if told else [],
    )


def _cut(paging: Paging, rows: list[T]) -> tuple[list[T], int]:
    first = (paging.page - 1) * paging.size
    return rows[first : first + paging.size], len(rows)

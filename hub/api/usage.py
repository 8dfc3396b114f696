"""What running environments use, over the API."""

from typing import Annotated

from fastapi import APIRouter, Query

from hub.api.callers import EVERYBODYS, Hub, ReadsUsage, require
from hub.api.paging import Page, Pages, page_of
from hub.api.shapes import Usage
from hub.environments.views import EnvironmentView
from hub.spawners.base import Usage as Sample

router = APIRouter(prefix="/usage", tags=["usage"])


@router.get("")
def list_usage(
    caller: ReadsUsage,
    hub: Hub,
    paging: Pages,
    everyone: Annotated[bool, Query(description="Everybody's; needs `admin:environments:read`.")] = False,
) -> Page[Usage]:
    """The running environments by name, and what each uses just now."""
    if everyone:
        require(caller, EVERYBODYS)
    found = hub.environments.usage(caller.person, paging.page - 1, paging.size, everyone=everyone)
    return page_of(paging, found, lambda pair: _shown(*pair))


def _shown(view: EnvironmentView, sample: Sample | None) -> Usage:
    return Usage(
        environment_id=view.id,
        environment=view.name,
        owner=view.owner,
        at=sample.at if sample else None,
        memory=sample.memory if sample else None,
        memory_limit=view.memory,
        cpu_seconds=sample.cpu_seconds if sample else None,
        cpu_limit=view.cpu,
        processes=sample.processes if sample else None,
    )

"""Environments over the API: thin calls of the one service."""

from typing import Annotated, Literal

from fastapi import APIRouter, Header, Query, Response

from hub.api import ROOT
from hub.api.callers import EVERYBODYS, Hub, ReadsEnvironments, WritesEnvironments, require
from hub.api.paging import Page, Pages, Text, page_of
from hub.api.problems import documented
from hub.api.shapes import Environment, Event, Launch, Log, RowId
from hub.environments.catalog import Custom
from hub.environments.launching import LaunchOrder
from hub.environments.model import Phase
from hub.environments.views import EnvironmentFilter, EnvironmentView
from hub.services import Services

router = APIRouter(prefix="/environments", tags=["environments"])
Sort = Literal["name", "-name", "since", "-since", "created_at", "-created_at"]
_GONE, _WRITE = documented(404), documented(404, 409)


@router.get("")
def list_environments(
    caller: ReadsEnvironments,
    hub: Hub,
    paging: Pages,
    q: Text = "",
    phase: Phase | None = None,
    live: Annotated[bool, Query(description="Only those that are queued, starting, running or stopping.")] = False,
    everyone: Annotated[bool, Query(description="Everybody's; needs `admin:environments:read`.")] = False,
    sort: Sort = "-since",
) -> Page[Environment]:
    """The own environments, or everybody's for administrators and auditors."""
    if everyone:
        require(caller, EVERYBODYS)
    which = EnvironmentFilter(q, phase, live)
    found = hub.environments.search(caller.person, which, paging.page - 1, paging.size, sort, everyone=everyone)
    return page_of(paging, found, lambda view: shown(hub, view))


@router.post("", status_code=202, responses=documented(404, 409))
def launch_environment(
    caller: WritesEnvironments,
    hub: Hub,
    launch: Launch,
    response: Response,
    idempotency_key: Annotated[str | None, Header(max_length=255, description="The same key brings the same launch.")] = None,
) -> Environment:
    """Launch; it starts in the background. `GET` the address in `Location` until `phase` is `running` or `failed`."""
    custom = Custom(launch.custom.cpu, launch.custom.memory) if launch.custom else None
    profile = launch.profile or hub.environments.catalog.default.name
    order = LaunchOrder(launch.name, profile, custom, launch.workspace_id)
    view = hub.environments.launch(caller.person, order, idempotency_key)
    response.headers["location"] = f"{ROOT}/environments/{view.id}"
    return shown(hub, view)


@router.get("/{environment_id}", responses=_GONE)
def read_environment(caller: ReadsEnvironments, hub: Hub, environment_id: RowId) -> Environment:
    """One environment and how far it is."""
    return shown(hub, hub.environments.get(caller.person, environment_id))


@router.post("/{environment_id}/start", status_code=202, responses=_WRITE)
def start_environment(caller: WritesEnvironments, hub: Hub, environment_id: RowId) -> Environment:
    """Launch an own environment again as it is; nothing happens where it is wanted to run already."""
    hub.environments.relaunch(caller.person, environment_id)
    return shown(hub, hub.environments.get(caller.person, environment_id))


@router.post("/{environment_id}/stop", status_code=202, responses=_WRITE)
def stop_environment(caller: WritesEnvironments, hub: Hub, environment_id: RowId) -> Environment:
    """Stop it, or cancel its start; somebody else's with `admin:environments:write`."""
    hub.environments.stop(caller.person, environment_id)
    return shown(hub, hub.environments.get(caller.person, environment_id))


@router.delete("/{environment_id}", status_code=204, responses=_WRITE)
def delete_environment(
    caller: WritesEnvironments,
    hub: Hub,
    environment_id: RowId,
    with_workspace: Annotated[bool, Query(description="Delete its workspace and all files too.")] = False,
) -> None:
    """Delete an own environment for good; its workspace stays unless asked for."""
    name = hub.environments.get(caller.person, environment_id).name
    hub.environments.delete(caller.person, environment_id, name, with_workspace=with_workspace)


@router.get("/{environment_id}/logs", responses=documented(404, 503))
def read_logs(
    caller: ReadsEnvironments,
    hub: Hub,
    environment_id: RowId,
    lines: Annotated[int, Query(ge=1, le=2000)] = 200,
) -> Log:
    """The last lines of the present or last run."""
    return Log(lines=hub.environments.log(caller.person, environment_id, lines).splitlines())


@router.get("/{environment_id}/events", responses=_GONE)
def list_events(caller: ReadsEnvironments, hub: Hub, environment_id: RowId, paging: Pages) -> Page[Event]:
    """Who did what to it, newest first."""
    found = hub.environments.story(caller.person, environment_id, paging.page - 1, paging.size)
    return page_of(paging, found, Event.model_validate)


def shown(hub: Services, view: EnvironmentView) -> Environment:
    """With the address at which it opens, the names of the checkpoints, and what it waits for."""
    row = {
        name: getattr(view, name) for name in Environment.model_fields if name not in {"address", "checkpoints", "hindrance"}
    }
    names = [str(step.get("name", "")) for step in view.checkpoints]
    address, hindrance = hub.addresses.environment(view.slug, view.cluster_id), hub.environments.hindrance(view)
    return Environment(**row, address=address, checkpoints=names, hindrance=hindrance)

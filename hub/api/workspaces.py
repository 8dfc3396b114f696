"""Workspaces over the API."""

from typing import Literal

from fastapi import APIRouter, Request, Response

from hub.api import ROOT
from hub.api.callers import Doorkeeper, Hub, ReadsWorkspaces, WritesWorkspaces
from hub.api.paging import Page, Pages, Text, page_of
from hub.api.problems import documented
from hub.api.shapes import NewWorkspace, RowId, Workspace
from hub.workspaces.archives import MEDIA_TYPE, Archives

router = APIRouter(prefix="/workspaces", tags=["workspaces"])
Sort = Literal["name", "-name", "used_at", "-used_at", "size", "-size"]


@router.get("")
def list_workspaces(caller: ReadsWorkspaces, hub: Hub, paging: Pages, q: Text = "", sort: Sort = "-used_at") -> Page[Workspace]:
    """The own workspaces."""
    return page_of(
        paging, hub.workspaces.search(caller.person, q, paging.page - 1, paging.size, sort), Workspace.model_validate
    )


@router.post("", status_code=201)
def create_workspace(caller: WritesWorkspaces, hub: Hub, new: NewWorkspace, response: Response) -> Workspace:
    """A new, empty workspace; the first launch makes its folder or volume."""
    workspace_id = hub.workspaces.create(caller.person, new.name)
    response.headers["location"] = f"{ROOT}/workspaces/{workspace_id}"
    return Workspace.model_validate(hub.workspaces.get(caller.person, workspace_id))


@router.get("/{workspace_id}", responses=documented(404))
def read_workspace(caller: ReadsWorkspaces, hub: Hub, workspace_id: RowId) -> Workspace:
    """One of the own workspaces."""
    return Workspace.model_validate(hub.workspaces.get(caller.person, workspace_id))


@router.get(
    "/{workspace_id}/archive",
    response_class=Response,
    responses={200: {"content": {MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}}}}, **documented(404, 429)},
)
async def download_workspace(caller: ReadsWorkspaces, request: Request, workspace_id: RowId) -> Response:
    """All its files as a compressed archive, two downloads at once; it ends when the token or the session does."""
    state = request.app.state
    archives: Archives = state.archives
    doorkeeper: Doorkeeper = state.doorkeeper
    return await archives.answer(caller.person, workspace_id, lambda: doorkeeper.is_over(request))


@router.delete("/{workspace_id}", status_code=204, responses=documented(404, 409))
def delete_workspace(caller: WritesWorkspaces, hub: Hub, workspace_id: RowId) -> None:
    """Delete it and its files for good; refused while an environment has it."""
    name = hub.workspaces.get(caller.person, workspace_id).name
    hub.workspaces.delete(caller.person, workspace_id, name)

"""The download of a workspace: streamed from the spawner to the browser, never held in memory."""

from collections.abc import Iterator
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from hub.errors import PodiumError
from hub.workspaces.service import Workspaces


class WorkspaceRoutes:
    """`routes` are for the hub's ASGI app, inside the identity middleware."""

    def __init__(self, workspaces: Workspaces) -> None:
        self._workspaces = workspaces
        self.routes = [Route("/workspaces/{workspace_id}/archive", self.archive, methods=["GET"])]

    async def archive(self, request: Request) -> Response:
        person = request.state.person
        if person is None:
            return RedirectResponse("/login?next=/workspaces", status_code=303)
        try:
            name, chunks = await run_in_threadpool(self._workspaces.archive, person, request.path_params["workspace_id"])
            first = await run_in_threadpool(next, chunks, b"")
        except PodiumError as error:
            return PlainTextResponse(f"{error.sentence}\n", status_code=error.status)
        headers = {"content-disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}", "cache-control": "no-store"}
        return StreamingResponse(_joined(first, chunks), media_type="application/gzip", headers=headers)


def _joined(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest

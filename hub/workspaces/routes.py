"""The link on the page of workspaces that downloads one, for a browser that is logged in."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from hub.errors import PodiumError
from hub.identity.answers import plain
from hub.identity.person import Person
from hub.identity.sessions import Sessions
from hub.workspaces.archives import Archives


class WorkspaceRoutes:
    """`routes` are for the hub's ASGI app, inside the identity middleware."""

    def __init__(self, archives: Archives, sessions: Sessions) -> None:
        self._archives, self._sessions = archives, sessions
        self.routes = [Route("/workspaces/{workspace_id}/archive", self.archive, methods=["GET"])]

    async def archive(self, request: Request) -> Response:
        """GET: the files as a compressed archive; the login page for strangers."""
        person: Person | None = request.state.person
        if person is None:
            return RedirectResponse("/login?next=/workspaces", status_code=303)
        try:
            return await self._archives.answer(
                person, request.path_params["workspace_id"], lambda: self._sessions.is_over(person.session_id)
            )
        except PodiumError as error:
            return plain(error)

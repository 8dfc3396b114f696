"""The download of a workspace: streamed from the spawner to the browser, never held in memory.

It takes as long as the browser takes, so it has threads of its own, a person has few at once, and it
ends when the person's session does.
"""

import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from urllib.parse import quote

from anyio import CapacityLimiter, to_thread
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from hub.errors import PodiumError, Silent
from hub.identity.answers import plain
from hub.identity.person import Person
from hub.identity.sessions import Sessions
from hub.workspaces.service import Workspaces

MOST_OF_ONE = 2
"""Downloads of one person at once."""
THREADS = 8
LOOK_EVERY = 3.0
"""Seconds between two looks whether the session still counts."""
_BUSY = "Two downloads of yours are under way. Wait for one of them to end, then try again."


class _Counted(Response):
    """An answer that calls `ended` when it is over, however it ends."""

    def __init__(self, answer: Response, ended: Callable[[], None]) -> None:
        super().__init__()
        self._answer, self._ended = answer, ended

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._answer(scope, receive, send)
        finally:
            self._ended()


class WorkspaceRoutes:
    """`routes` are for the hub's ASGI app, inside the identity middleware."""

    def __init__(self, workspaces: Workspaces, sessions: Sessions) -> None:
        self._workspaces, self._sessions = workspaces, sessions
        self._under_way: Counter[str] = Counter()
        self._limiter: CapacityLimiter | None = None
        self.routes = [Route("/workspaces/{workspace_id}/archive", self.archive, methods=["GET"])]

    async def archive(self, request: Request) -> Response:
        person: Person | None = request.state.person
        if person is None:
            return RedirectResponse("/login?next=/workspaces", status_code=303)
        if self._under_way[person.user_id] >= MOST_OF_ONE:
            return PlainTextResponse(f"{_BUSY}\n", status_code=429)
        self._under_way[person.user_id] += 1
        try:
            answer = await self._answer(person, request.path_params["workspace_id"])
        except BaseException:
            self._ended(person)
            raise
        return _Counted(answer, lambda: self._ended(person))

    async def _answer(self, person: Person, workspace_id: str) -> Response:
        try:
            name, chunks = await run_in_threadpool(self._workspaces.archive, person, workspace_id)
            first = await run_in_threadpool(next, chunks, b"")
        except PodiumError as error:
            return plain(error)
        headers = {"content-disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}", "cache-control": "no-store"}
        return StreamingResponse(self._streamed(person, first, chunks), media_type="application/gzip", headers=headers)

    def _ended(self, person: Person) -> None:
        self._under_way[person.user_id] -= 1
        self._under_way += Counter()  # forgets who has none

    async def _streamed(self, person: Person, chunk: bytes, rest: Iterator[bytes]) -> AsyncIterator[bytes]:
        looked = time.monotonic()
        while chunk:
            yield chunk
            if time.monotonic() - looked > LOOK_EVERY:
                looked = time.monotonic()
                if await run_in_threadpool(self._is_over, person):
                    return
            chunk = await to_thread.run_sync(next, rest, b"", limiter=self._threads())

    def _is_over(self, person: Person) -> bool:
        """A silent database cuts nobody off."""
        try:
            return self._sessions.by_id(person.session_id) is None
        except Silent:
            return False

    def _threads(self) -> CapacityLimiter:
        """Made within the event loop that uses it."""
        self._limiter = self._limiter or CapacityLimiter(THREADS)
        return self._limiter

"""The download of a workspace: streamed from the spawner to whoever asked, never held in memory.

It takes as long as the other end takes, so it has threads of its own, a person has few at once, and it
ends when what let the person in does not count any more.
"""

import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from urllib.parse import quote

from anyio import CapacityLimiter, to_thread
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from hub.errors import TooMany
from hub.identity.person import Person
from hub.workspaces.service import Workspaces

MOST_OF_ONE = 2
"""Downloads of one person at once."""
THREADS = 8
LOOK_EVERY = 3.0
"""Seconds between two looks whether the person still counts."""
MEDIA_TYPE = "application/gzip"


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


class Archives:
    """One for each hub process: pages' links and the API count a person's downloads together."""

    def __init__(self, workspaces: Workspaces) -> None:
        self._workspaces = workspaces
        self._under_way: Counter[str] = Counter()
        self._limiter: CapacityLimiter | None = None

    async def answer(self, person: Person, workspace_id: str, is_over: Callable[[], bool]) -> Response:
        """The answer that streams it. `is_over` is asked now and then, in a thread. Raises `NotFound`, `TooMany`."""
        if self._under_way[person.user_id] >= MOST_OF_ONE:
            raise TooMany("Two downloads of yours are under way. Wait for one of them to end, then try again.")
        self._under_way[person.user_id] += 1
        try:
            name, chunks = await run_in_threadpool(self._workspaces.archive, person, workspace_id)
            first = await run_in_threadpool(next, chunks, b"")
        except BaseException:
            self._ended(person)
            raise
        headers = {"content-disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}", "cache-control": "no-store"}
        streamed = StreamingResponse(self._streamed(first, chunks, is_over), media_type=MEDIA_TYPE, headers=headers)
        return _Counted(streamed, lambda: self._ended(person))

    def _ended(self, person: Person) -> None:
        self._under_way[person.user_id] -= 1
        self._under_way += Counter()  # forgets who has none

    async def _streamed(self, chunk: bytes, rest: Iterator[bytes], is_over: Callable[[], bool]) -> AsyncIterator[bytes]:
        looked = time.monotonic()
        while chunk:
            yield chunk
            if time.monotonic() - looked > LOOK_EVERY:
                looked = time.monotonic()
                if await run_in_threadpool(is_over):
                    return
            chunk = await to_thread.run_sync(next, rest, b"", limiter=self._threads())

    def _threads(self) -> CapacityLimiter:
        """Made within the event loop that uses it."""
        self._limiter = self._limiter or CapacityLimiter(THREADS)
        return self._limiter

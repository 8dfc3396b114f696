"""Closes a page's open WebSocket when the session it belongs to has ended.

A WebSocket is checked when it opens and then never again, so somebody who logged out, or was
disabled, would go on with the tab that is open. Each replica therefore knows its open sockets by
session. Sessions that it ends itself it closes at once; of the others it asks the database every
two seconds, one query for all. While the database is silent nothing is cut before the session's
absolute end, which is known here.
"""

import asyncio
import contextlib
from collections.abc import Collection
from datetime import datetime

from anyio import to_thread
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hub.clock import now
from hub.errors import DatabaseSilent
from hub.identity.person import Person
from hub.identity.sessions import Sessions
from hub.routing import revocation

POLL_SECONDS = 2.0
CLOSED = 4401
"""The close code that says: this session has ended, log in again."""


class _Socket:
    """One open WebSocket. Once `ended` is set it is closed, and its application told that the browser has left."""

    def __init__(self, person: Person, receive: Receive, send: Send) -> None:
        self.session_id, self.session_ends = person.session_id, person.session_ends
        self.ended = asyncio.Event()
        self._receive, self._send = receive, send

    async def receive(self) -> Message:
        incoming = asyncio.ensure_future(self._receive())
        ending = asyncio.ensure_future(self.ended.wait())
        try:
            await asyncio.wait({incoming, ending}, return_when=asyncio.FIRST_COMPLETED)
            if not self.ended.is_set():
                return incoming.result()
        finally:
            incoming.cancel()
            ending.cancel()
            await asyncio.gather(incoming, ending, return_exceptions=True)
        with contextlib.suppress(RuntimeError, OSError):  # the browser has just left by itself
            await self._send({"type": "websocket.close", "code": CLOSED, "reason": "session ended"})
        return {"type": "websocket.disconnect", "code": CLOSED}

    async def send(self, message: Message) -> None:
        if not self.ended.is_set():
            await self._send(message)


class PageSockets:
    """ASGI middleware, inside the identity middleware. Its poll runs only while sockets are open."""

    def __init__(self, app: ASGIApp, sessions: Sessions) -> None:
        self._app = app
        self._sessions = sessions
        self._open: set[_Socket] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._poll: asyncio.Task[None] | None = None
        revocation.listeners.append(self._hear)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        person = scope.get("state", {}).get("person")
        if scope["type"] != "websocket" or person is None:
            await self._app(scope, receive, send)
            return
        socket = _Socket(person, receive, send)
        self._register(socket)
        try:
            await self._app(scope, socket.receive, socket.send)
        finally:
            self._unregister(socket)

    def _register(self, socket: _Socket) -> None:
        self._loop = asyncio.get_running_loop()
        self._open.add(socket)
        if self._poll is None:
            self._poll = self._loop.create_task(self._ask_again_and_again())

    def _unregister(self, socket: _Socket) -> None:
        self._open.discard(socket)
        if not self._open and self._poll is not None:
            self._poll.cancel()
            self._poll = None

    def _hear(self, session_ids: Collection[str]) -> None:
        """Called in any thread when this process has ended sessions."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._end, set(session_ids))

    def _end(self, session_ids: Collection[str]) -> None:
        for socket in self._open:
            if socket.session_id in session_ids:
                socket.ended.set()

    async def _ask_again_and_again(self) -> None:
        while True:
            await asyncio.sleep(POLL_SECONDS)
            self._end(await to_thread.run_sync(self._ended, {socket.session_id: socket.session_ends for socket in self._open}))

    def _ended(self, open_sessions: dict[str, datetime]) -> set[str]:
        try:
            return self._sessions.ended_among(open_sessions)
        except DatabaseSilent:
            return {session_id for session_id, ends in open_sessions.items() if ends <= now()}

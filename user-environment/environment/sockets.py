"""Open WebSockets by hub session, so that they close when their session ends.

A handshake is checked once and the socket then lives for hours. So each one is registered under
its session, and ends when the hub says that the session was revoked or when the session's absolute
end (in the assertion) has come. From that moment no message passes in either direction, even if the
peer reads too slowly to take the close frame.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Iterable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from environment.keys import Assertion

SESSION_ENDED = 4401
"""The close code that tells a tab to ask the hub where to go."""

_PATIENCE = 2.0
"""Seconds that a revocation waits for slow peers to take the close frame."""


class Sockets:
    """The open sockets of one environment, and the sessions that may not return."""

    def __init__(self) -> None:
        self.revoked: set[str] = set()
        self._open: defaultdict[str, set[_Socket]] = defaultdict(set)

    async def revoke(self, session_ids: Iterable[str]) -> None:
        """Bar these sessions at once and close their sockets."""
        ended = set(session_ids)
        self.revoked |= ended
        sockets = [socket for session_id in ended for socket in self._open.get(session_id, ())]
        closings = {asyncio.create_task(socket.end()) for socket in sockets}
        if closings:
            await asyncio.wait(closings, timeout=_PATIENCE)

    async def hold(self, assertion: Assertion, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        """Run one WebSocket until it closes or its session ends."""
        socket = _Socket(receive, send)
        self._open[assertion.session_id].add(socket)
        curfew = asyncio.create_task(socket.end_at(assertion.session_ends))
        try:
            await app(scope, socket.receive, socket.send)
        finally:
            curfew.cancel()
            self._open[assertion.session_id].discard(socket)
            if not self._open[assertion.session_id]:
                del self._open[assertion.session_id]


class _Socket:
    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self._ended = False

    async def receive(self) -> Message:
        message = await self._receive()
        return {"type": "websocket.disconnect", "code": SESSION_ENDED} if self._ended else message

    async def send(self, message: Message) -> None:
        if self._ended:
            raise OSError("The session of this socket has ended.")
        await self._send(message)

    async def end(self) -> None:
        if not self._ended:
            self._ended = True
            await self._send({"type": "websocket.close", "code": SESSION_ENDED, "reason": "session ended"})

    async def end_at(self, moment: float) -> None:
        await asyncio.sleep(max(0.0, moment - time.time()))
        await self.end()

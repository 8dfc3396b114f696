"""Why a request is refused, and the answers that say so.

A refused request gets 421 with the reason in a header: a proxy turns it into Podium's own page,
and it cannot be confused with an answer of the app. A WebSocket is refused before it opens, with
403. No answer ever holds more than a fixed sentence.
"""

from enum import StrEnum
from typing import Any

from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send


class Refusal(StrEnum):
    MISSING = "missing"
    EXPIRED = "expired"
    INVALID = "invalid"
    REVOKED = "revoked"


class Refused(Exception):
    """This request may not enter."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.value)
        self.refusal = refusal


MISDIRECTED = 421

_SENTENCES = {
    Refusal.MISSING: "This environment answers only through Podium.",
    Refusal.EXPIRED: "The permission to enter this environment is too old.",
    Refusal.INVALID: "The permission to enter this environment is not valid.",
    Refusal.REVOKED: "The session that this request belongs to has ended.",
}


async def refuse(refusal: Refusal, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await deny_socket(send)
        return
    headers = {"X-Podium-Refusal": refusal.value, "Cache-Control": "no-store"}
    await PlainTextResponse(_SENTENCES[refusal], MISDIRECTED, headers)(scope, receive, send)


async def not_found(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await deny_socket(send)
        return
    await PlainTextResponse("Not found", 404, {"Cache-Control": "no-store"})(scope, receive, send)


async def deny_socket(send: Send) -> None:
    """Close before accepting, which the server answers with 403."""
    message: dict[str, Any] = {"type": "websocket.close", "code": 1008}
    await send(message)

"""What the hub tells a running environment: sessions that ended, and keys that follow.

The message is a signed token, so it needs no secret channel, and saying it twice does no harm. The
answer names all that is in force now; the hub repeats a message until the answer covers it.
"""

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from environment.keys import CONTROL, KeyRing
from environment.refusal import Refusal, Refused, refuse
from environment.sockets import Sockets

_LARGEST = 1 << 20


async def control(ring: KeyRing, sockets: Sockets, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer one POST to the control address."""
    if scope["method"] != "POST":
        await PlainTextResponse("Method not allowed", 405, {"Allow": "POST"})(scope, receive, send)
        return
    token = await _body(Request(scope, receive))
    if token is None:
        await PlainTextResponse("The message is too large", 413)(scope, receive, send)
        return
    try:
        answer = await _obey(ring, sockets, token)
    except Refused as refused:
        await refuse(refused.refusal, scope, receive, send)
        return
    await answer(scope, receive, send)


async def _obey(ring: KeyRing, sockets: Sockets, token: str) -> Response:
    claims = ring.verify(token, CONTROL)
    ring.endorse(_texts(claims.get("successors", [])))
    await sockets.revoke(_texts(claims.get("revoked", [])))
    return JSONResponse({"revoked": sorted(sockets.revoked), "keys": ring.ids})


async def _body(request: Request) -> str | None:
    collected = b""
    async for chunk in request.stream():
        collected += chunk
        if len(collected) > _LARGEST:
            return None
    return collected.decode("latin-1").strip()


def _texts(value: object) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise Refused(Refusal.INVALID)
    return value

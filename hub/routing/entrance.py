"""`/_podium/` on an environment's own address: what there belongs to the hub.

`enter` takes the hand-over, `alive` tells an open tab whether it may stay, `door` what a waiting
page asks for, `page` what NGINX shows in place of the environment, `launch` is the one button.
All else does not exist: the environment's own `/_podium/` is not for visitors.
"""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from urllib.parse import parse_qs

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from hub.errors import DatabaseSilent, PodiumError, Refused
from hub.identity.cookies import clear_cookie, cookie_name, read_cookies, set_cookie
from hub.routing import gateway_websocket
from hub.routing.addresses import HUB_PREFIX, Addresses, Place
from hub.routing.asking import Asking
from hub.routing.decisions import Allowed, Decision, Denied, Door, Environments
from hub.routing.doors import STATUS, Doors, see_other
from hub.routing.entry import Entries
from hub.routing.gateway import Gateway
from hub.routing.headers import value
from hub.routing.next_url import safe_path
from hub.routing.script import tab_script
from hub.settings import Settings

_LARGEST_FORM = 16_384
_FORM_TOO_LARGE = 413


class Entrance:
    def __init__(
        self,
        settings: Settings,
        addresses: Addresses,
        environments: Environments,
        entries: Entries,
        asking: Asking,
        gateway: Gateway,
        doors: Doors,
    ) -> None:
        self._settings = settings
        self._addresses = addresses
        self._environments = environments
        self._entries = entries
        self._asking = asking
        self._gateway = gateway
        self._doors = doors
        self._answers: dict[tuple[str, str], Callable[[Place, Request], Awaitable[Response]]] = {
            ("GET", "tab.js"): self._tab,
            ("GET", "alive"): self._alive,
            ("GET", "door"): self._door,
            ("GET", "page"): self._page,
            ("GET", "enter"): self._enter,
            ("POST", "launch"): self._launch,
        }

    async def __call__(self, place: Place, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await receive()
            await gateway_websocket.refuse(scope, send, STATUS[Door.UNKNOWN])
            return
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        answer = self._answers.get((method, place.path.removeprefix(HUB_PREFIX)))
        response = await answer(place, Request(scope, receive)) if answer else PlainTextResponse("Not Found", 404)
        await response(scope, receive, send)

    async def _tab(self, _place: Place, _request: Request) -> Response:
        return tab_script()

    async def _alive(self, place: Place, request: Request) -> Response:
        decision = await self._decision(place, request)
        status = 204 if isinstance(decision, Allowed) else STATUS[decision.door]
        return Response(status_code=status, headers={"Cache-Control": "no-store"})

    async def _door(self, place: Place, request: Request) -> Response:
        decision = await self._fresh(place, request)
        return await run_in_threadpool(self._doors.progress, decision, place)

    async def _page(self, place: Place, request: Request) -> Response:
        """NGINX names the path asked for, and its trouble where the environment gave no answer."""
        decision = await self._fresh(place, request)
        wanted = value(request.scope["headers"], b"x-podium-target")
        if isinstance(decision, Allowed):
            trouble = value(request.scope["headers"], b"x-podium-trouble")
            decision = Denied(Door.SILENT if trouble else Door.STARTING, decision.person, decision.view)
        return await self._doors.response(decision, place, request.scope, wanted)

    async def _enter(self, place: Place, request: Request) -> Response:
        """A hand-over that does not count shows a page, never another redirect: browsers without cookies would go round."""
        path = safe_path(request.query_params.get("next"))
        nonces = read_cookies(request.scope["headers"], cookie_name(self._settings, "entry-nonce"))
        try:
            code = request.query_params.get("code", "")
            token, person = await run_in_threadpool(self._entries.redeem, place.slug, code, nonces[0] if nonces else "")
        except Refused:
            return await run_in_threadpool(self._doors.page, Denied(Door.USED), place, path)
        except DatabaseSilent:
            return await run_in_threadpool(self._doors.page, Denied(Door.AWAY), place, path)
        lasts = int((person.session_ends - datetime.now(UTC)).total_seconds())
        response = see_other(path)
        response.headers.append("Set-Cookie", set_cookie(self._settings, "entry", token, max(lasts, 0)))
        response.headers.append("Set-Cookie", clear_cookie(self._settings, "entry-nonce"))
        return response

    async def _launch(self, place: Place, request: Request) -> Response:
        body = await _small_body(request)
        if body is None:
            return PlainTextResponse("The form is too large.", _FORM_TOO_LARGE)
        path = safe_path(parse_qs(body.decode("latin-1")).get("next", [self._addresses.prefix(place.slug) + "/"])[0])
        decision = await self._fresh(place, request)
        if isinstance(decision, Allowed) or decision.person is None or decision.view is None:
            return see_other(path)
        try:
            await run_in_threadpool(self._environments.relaunch, decision.person, decision.view.environment_id)
        except PodiumError as error:
            return await run_in_threadpool(self._doors.page, decision, place, path, error.sentence)
        return see_other(path)

    async def _decision(self, place: Place, request: Request) -> Decision:
        return await self._gateway.decision(place.slug, self._gateway.token(request.scope))

    async def _fresh(self, place: Place, request: Request) -> Decision:
        try:
            return await self._asking.fresh(place.slug, self._gateway.token(request.scope))
        except DatabaseSilent:
            return Denied(Door.AWAY)


async def _small_body(request: Request) -> bytes | None:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LARGEST_FORM:
            return None
    return body

"""What routing answers on the hub's own host: decisions for NGINX, the hand-over's first half, the tab's script."""

import re
from urllib.parse import urlencode

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from hub.errors import DatabaseSilent
from hub.identity.cookies import cookie_name, read_cookies
from hub.identity.person import Person
from hub.identity.sessions import Sessions
from hub.routing import gateway_websocket
from hub.routing.addresses import SLUG, Addresses, Kind, Place
from hub.routing.authorize import Authorize
from hub.routing.decisions import Denied, Door, Environments
from hub.routing.doors import Doors, see_other
from hub.routing.entry import Entries
from hub.routing.gateway import Gateway
from hub.routing.headers import value
from hub.routing.next_url import safe_path
from hub.routing.script import tab_script
from hub.settings import Settings

_SLUG = re.compile(SLUG)
_BINDING = re.compile("[0-9a-f]{64}")
_NOT_FOUND = 404
_TOO_MANY_COOKIES = 5


class HubSide:
    """`login` is the hub's page to log in, which takes `next`."""

    def __init__(
        self,
        settings: Settings,
        addresses: Addresses,
        sessions: Sessions,
        environments: Environments,
        entries: Entries,
        authorize: Authorize,
        gateway: Gateway,
        doors: Doors,
        login: str,
    ) -> None:
        self._cookie = cookie_name(settings, "session")
        self._addresses = addresses
        self._sessions = sessions
        self._environments = environments
        self._entries = entries
        self._authorize = authorize
        self._gateway = gateway
        self._doors = doors
        self._login = login

    async def __call__(self, place: Place, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await receive()
            await gateway_websocket.refuse(scope, send, _NOT_FOUND)
            return
        response = await self._response(place, scope)
        await response(scope, receive, send)

    async def _response(self, place: Place, scope: Scope) -> Response:
        try:
            match scope["method"], place.path:
                case "GET", "/routing/authorize":
                    return await self._authorize(scope, self._gateway.token(scope))
                case "GET", "/routing/enter" if self._addresses.by_host:
                    return await run_in_threadpool(self._enter, place, Request(scope))
                case "GET", "/_podium/alive":
                    return await run_in_threadpool(self._alive, scope)
                case "GET", "/_podium/tab.js":
                    return tab_script()
        except DatabaseSilent:
            return await self._doors.response(Denied(Door.AWAY), Place(Kind.HUB, "/"), scope)
        return PlainTextResponse("Not Found", _NOT_FOUND)

    def _alive(self, scope: Scope) -> Response:
        return Response(status_code=204 if self._person(scope) else 401, headers={"Cache-Control": "no-store"})

    def _enter(self, place: Place, request: Request) -> Response:
        """Give the browser a code for that environment, if it is the person's own.

        Only a tab that goes here gets one: not a frame, not a script.
        """
        slug, binding = (request.query_params.get(name, "") for name in ("environment", "binding"))
        if not (_SLUG.fullmatch(slug) and _BINDING.fullmatch(binding)) or not _is_tab(request.scope):
            return PlainTextResponse("Not Found", _NOT_FOUND)
        asked = {"environment": slug, "binding": binding, "next": safe_path(request.query_params.get("next"))}
        person = self._person(request.scope)
        if person is None:
            return see_other(f"{self._login}?{urlencode({'next': f'/routing/enter?{urlencode(asked)}'})}")
        view = self._environments.for_routing([slug]).get(slug)
        if view is None or view.owner_id != person.user_id:
            return self._doors.page(Denied(Door.UNKNOWN), place, "/")
        code = self._entries.code(person, view.environment_id, binding)
        return see_other(
            self._addresses.environment(
                slug, view.cluster_id, f"/_podium/enter?{urlencode({'code': code, 'next': asked['next']})}"
            )
        )

    def _person(self, scope: Scope) -> Person | None:
        """The first of the cookies that counts: a sibling host may have planted others of the same name."""
        tokens = read_cookies(scope["headers"], self._cookie)[:_TOO_MANY_COOKIES]
        return next((person for token in tokens if (person := self._sessions.resolve(token))), None)


def _is_tab(scope: Scope) -> bool:
    """Whether the browser navigates a tab; one that does not say is taken at its word."""
    return value(scope["headers"], b"sec-fetch-mode") in {"", "navigate"} and value(scope["headers"], b"sec-fetch-dest") in {
        "",
        "document",
    }

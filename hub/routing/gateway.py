"""The embedded gateway: what NGINX does in production, in the hub's own process on one machine.

It asks the same decision, adds the assertion, and passes the request to the environment's socket.
Where there is no way in, the doors answer.
"""

import re
from functools import partial

from starlette.types import Receive, Scope, Send

from hub.errors import DatabaseSilent
from hub.identity.cookies import COOKIE_VALUE, read_cookies
from hub.routing import gateway_http, gateway_websocket
from hub.routing.addresses import Place
from hub.routing.asking import Asking
from hub.routing.decisions import Allowed, Decision, Decisions, Denied, Door
from hub.routing.doors import Doors
from hub.routing.gateway_http import EnvironmentSilent
from hub.routing.upstreams import Upstreams

_COOKIE_VALUE = re.compile(COOKIE_VALUE)


class Gateway:
    def __init__(self, decisions: Decisions, asking: Asking, doors: Doors, upstreams: Upstreams, cookie: str) -> None:
        self._decisions = decisions
        self._asking = asking
        self._doors = doors
        self._upstreams = upstreams
        self._cookie = cookie

    async def __call__(self, place: Place, scope: Scope, receive: Receive, send: Send) -> None:
        decision = await self.decision(place.slug, self.token(scope))
        if isinstance(decision, Denied):
            await self._doors.answer(decision, place, scope, receive, send)
        elif scope["type"] == "websocket":
            await gateway_websocket.forward(self._upstreams, decision, scope, receive, send)
        else:
            await self._http(decision, place, scope, receive, send)

    async def decision(self, slug: str, token: str) -> Decision:
        """While the database is silent, the last answer until its assertion ends."""
        try:
            return await self._asking.decision(slug, token)
        except DatabaseSilent:
            return self._decisions.last(slug, token) or Denied(Door.AWAY)

    def token(self, scope: Scope) -> str:
        """The first well-formed cookie that lets people in here; empty where there is none."""
        found = read_cookies(scope["headers"], self._cookie)
        return next(filter(_COOKIE_VALUE.fullmatch, found), "")

    async def _http(self, allowed: Allowed, place: Place, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await gateway_http.forward(self._upstreams, allowed, scope, receive, send)
        except EnvironmentSilent as silent:
            door = partial(Denied, silent.door, allowed.person)
            await self._doors.answer(door(None if silent.door is Door.LOGIN else allowed.view), place, scope, receive, send)

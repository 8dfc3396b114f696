"""`/routing/authorize`: NGINX asks for each request who may enter and where it goes.

200 with the decision, the upstream and the assertion; 401 where logging in would help; 403 for
every other door; 503 while the database is silent, at which NGINX goes on with its last answer.
The environment is named by NGINX in a header, taken from the one variable that it also keys its
cache with, so that nothing is decided on one spelling of an address and routed on another.
"""

import re

from starlette.concurrency import run_in_threadpool
from starlette.responses import PlainTextResponse, Response
from starlette.types import Scope

from hub.errors import DatabaseSilent
from hub.routing import assertion
from hub.routing.addresses import SLUG
from hub.routing.asking import Asking
from hub.routing.callers import Callers
from hub.routing.decisions import Allowed, Decision, Door
from hub.routing.headers import value

DECISION = "X-Podium-Decision"
UPSTREAM = "X-Podium-Upstream"
REASON = "X-Podium-Reason"
ALLOW = "allow"

_SLUG = re.compile(SLUG)


class Authorize:
    def __init__(self, callers: Callers, asking: Asking) -> None:
        self._callers = callers
        self._asking = asking

    async def __call__(self, scope: Scope, token: str) -> Response:
        headers = scope["headers"]
        slug = value(headers, b"x-podium-environment")
        cluster, credential = value(headers, b"x-podium-cluster"), value(headers, b"authorization")
        try:
            admitted = self._callers.recent(cluster, credential)
            if admitted is None:
                admitted = await run_in_threadpool(self._callers.admits, cluster, credential)
            if not admitted:
                return PlainTextResponse("Not Found", 404)
            if not _SLUG.fullmatch(slug):
                return _refusal(Door.UNKNOWN)
            return _response(await self._asking.decision(slug, token), cluster)
        except DatabaseSilent:
            return PlainTextResponse("", 503, {REASON: Door.AWAY.value})


def _response(decision: Decision, cluster: str) -> Response:
    """A proxy learns nothing of environments on other clusters than its own."""
    if decision.view and decision.view.cluster_id != cluster:
        return _refusal(Door.UNKNOWN)
    if not isinstance(decision, Allowed):
        return _refusal(decision.door)
    return PlainTextResponse("", 200, {DECISION: ALLOW, UPSTREAM: decision.upstream, assertion.HEADER: decision.assertion})


def _refusal(door: Door) -> Response:
    return PlainTextResponse("", 401 if door is Door.LOGIN else 403, {DECISION: "deny", REASON: door.value})

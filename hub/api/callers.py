"""Who calls: a token in `Authorization`, or the session of the browser that shows a page of the hub's.

A session's call that changes something comes from a page of this very host: `hub.routing.isolation` has refused the
others before anything here is asked, and a body that is not JSON is refused below. A token is shown by no browser
unasked. Sources: RFC 6750, and the cross-site rules of docs/security/cases.md A8.
"""

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPBearer

from hub.errors import NotLoggedIn, Refused, Silent, TooMany
from hub.identity.person import Person
from hub.identity.rates import Rate
from hub.identity.scopes import SCOPES, Caller
from hub.identity.throttle import keep_newest
from hub.identity.tokens import digest
from hub.services import Services

FAILURES_PER_MINUTE = 30
"""Wrong tokens of one address; then it waits, except with tokens that have counted before."""

bearer = HTTPBearer(auto_error=False, scheme_name="token", description="A token of the page *Account*, or of a provider.")


class Doorkeeper:
    """Keeps one process's count of failures. Safe to share between threads."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._failures = Rate("failed tokens", FAILURES_PER_MINUTE)
        self._good: OrderedDict[str, None] = OrderedDict()
        self._lock = Lock()

    def caller(self, request: Request) -> Caller:
        """Raises `NotLoggedIn`, `TooMany`."""
        authorization = request.headers.get("authorization")
        if authorization is not None:
            return self._with_token(authorization, request.client.host if request.client else "")
        person: Person | None = request.state.person
        if person is None:
            raise NotLoggedIn("Show a token: Authorization: Bearer podium_… Make one on the page Account.")
        return Caller.of(person)

    def is_over(self, request: Request) -> bool:
        """Whether what let a long request in does not count any more. A silent part cuts nobody off."""
        try:
            if "authorization" in request.headers:
                return self.caller(request) is None
            person: Person = request.state.person
            return self._services.sessions.is_over(person.session_id)
        except Silent:
            return False
        except (NotLoggedIn, TooMany):
            return True

    def _with_token(self, authorization: str, address: str) -> Caller:
        scheme, _, token = authorization.partition(" ")
        services, token = self._services, token.strip()
        known, caller = digest(token), None
        if known not in self._good and self._failures.is_spent(address):
            raise TooMany("Too many tokens from this address were wrong. Wait a minute.")
        if scheme.lower() == "bearer":
            caller = services.tokens.resolve(token, address) or services.access_tokens.resolve(token, address)
        if caller is None:
            self._failures.admits(address)
            raise NotLoggedIn("This token does not count: it is unknown, over, or revoked. Make a new one on the page Account.")
        self._remember(known)
        return caller

    def _remember(self, known: str) -> None:
        """Tokens in use go on while somebody at the same address tries wrong ones."""
        with self._lock:
            self._good[known] = None
            self._good.move_to_end(known)
            keep_newest(self._good)


def services_of(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


def _caller(request: Request, _shown: Annotated[object, Depends(bearer)]) -> Caller:
    doorkeeper: Doorkeeper = request.app.state.doorkeeper
    return doorkeeper.caller(request)


def require(caller: Caller, scope: str) -> None:
    """Raises `Refused` for whoever does not hold the scope."""
    if scope not in caller.scopes:
        raise Refused(f"This needs the scope {scope}, which this {'token' if caller.token_id else 'login'} does not have.")


def _holding(scope: str) -> Callable[[Caller], Caller]:
    """A dependency that refuses whoever does not hold the scope."""
    assert scope in SCOPES

    def holding(caller: Annotated[Caller, Depends(_caller)]) -> Caller:
        require(caller, scope)
        return caller

    return holding


EVERYBODYS = "admin:environments:read"

Hub = Annotated[Services, Depends(services_of)]
Anyone = Annotated[Caller, Depends(_caller)]
ReadsEnvironments = Annotated[Caller, Depends(_holding("environments:read"))]
WritesEnvironments = Annotated[Caller, Depends(_holding("environments:write"))]
ReadsUsage = Annotated[Caller, Depends(_holding("usage:read"))]
ReadsClusters = Annotated[Caller, Depends(_holding("clusters:read"))]
ReadsWorkspaces = Annotated[Caller, Depends(_holding("workspaces:read"))]
WritesWorkspaces = Annotated[Caller, Depends(_holding("workspaces:write"))]
ReadsSessions = Annotated[Caller, Depends(_holding("sessions:read"))]
WritesSessions = Annotated[Caller, Depends(_holding("sessions:write"))]
ReadsTokens = Annotated[Caller, Depends(_holding("tokens:read"))]
WritesTokens = Annotated[Caller, Depends(_holding("tokens:write"))]
ReadsUsers = Annotated[Caller, Depends(_holding("admin:users:read"))]
WritesUsers = Annotated[Caller, Depends(_holding("admin:users:write"))]
ReadsAudit = Annotated[Caller, Depends(_holding("admin:audit:read"))]

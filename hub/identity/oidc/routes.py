"""The routes of logins at providers: there, and back.

A login begins with a press on a button of the own page (POST), never with a mere link, and its answer
counts only in the browser that began it.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from hub.errors import NotFound, NotLoggedIn, PodiumError
from hub.identity.answers import LOGIN_PAGE, address_of, bindings_of, cookies_of, go_on, leave_for, plain, to, to_login
from hub.identity.bodies import read_form
from hub.identity.cookies import set_cookie
from hub.identity.notices import Notice
from hub.identity.oidc.providers import GOOGLE
from hub.identity.oidc.service import Browser, LoginRefused, ProviderLogins
from hub.identity.rates import Rate
from hub.routing.next_url import safe_path
from hub.settings import Settings

MOST_AT_ONCE = 10
"""Logins that may wait for one provider at once; a slow one then holds up no other part of the hub."""
MOST_PER_MINUTE = 60
"""Logins that one network may begin: each is a row for ten minutes."""
LONGEST_ONWARD = 500
T = TypeVar("T")
ACCOUNT_PAGE = "/account"


class ProviderRoutes:
    """`routes` are for the hub's ASGI app, in front of what answers 404 below `/auth`."""

    def __init__(self, logins: ProviderLogins, settings: Settings) -> None:
        self._logins, self._settings = logins, settings
        self._lifetime = int(settings.token_expire_hours * 3600)
        self._limiters: dict[tuple[str, str], CapacityLimiter] = {}
        self._begun = Rate("login at a provider", MOST_PER_MINUTE)
        self.routes = [
            Route("/auth/login", self.show, methods=["GET"]),
            Route("/auth/login", self.begin, methods=["POST"]),
            Route("/auth/link", self.link, methods=["POST"]),
            Route("/auth/callback", self.finish, methods=["GET"]),
            Route("/auth/callback/{provider}", self.finish, methods=["GET"]),
            Route("/auth/backchannel/{provider}", self.log_out_from_behind, methods=["POST"]),
        ]

    async def show(self, request: Request) -> Response:
        """GET: the page with the buttons, where nothing has happened yet."""
        return to(LOGIN_PAGE + (f"?{request.url.query}" if request.url.query else ""))

    async def begin(self, request: Request) -> Response:
        """POST provider and next: on to the provider."""
        return await self._begin(request, "/", linking=False)

    async def link(self, request: Request) -> Response:
        """POST provider: on to the provider, whose login then belongs to this account as well."""
        return await self._begin(request, ACCOUNT_PAGE, linking=True)

    async def _begin(self, request: Request, onward: str, *, linking: bool) -> Response:
        person = request.state.person if linking else None
        if linking and person is None:
            return plain(NotLoggedIn("Log in to link a further login."))
        if not self._begun.admits(address_of(request)):
            return to_login(Notice.BUSY)
        try:
            form = await read_form(request)
            onward = onward if linking else _short(safe_path(form.get("next")))
            bindings = bindings_of(request, self._settings)
            binding = bindings[0] if bindings else ""
            name = form.get("provider", "")
            address = await self._in_thread(name, self._logins.begin, name, onward, binding, person)
        except LoginRefused as refused:
            return to_login(refused.notice, refused.onward)
        except PodiumError as error:
            return plain(error)
        return leave_for(address, "Go on to the login provider")

    async def finish(self, request: Request) -> Response:
        """GET, sent here by the provider: the session cookie and the way on, or the login page with the reason."""
        browser = Browser(
            bindings=bindings_of(request, self._settings),
            old_tokens=cookies_of(request, self._settings, "session"),
            address=address_of(request),
            user_agent=request.headers.get("user-agent", ""),
        )
        name, query = request.path_params.get("provider", GOOGLE), dict(request.query_params)
        try:
            finished = await self._in_thread(name, self._logins.finish, name, query, browser)
        except LoginRefused as refused:
            return to_login(refused.notice, refused.onward)
        except PodiumError as error:
            return plain(error)
        answer = go_on(finished.onward)
        if finished.token:
            answer.headers.append("set-cookie", set_cookie(self._settings, "session", finished.token, self._lifetime))
        return answer

    async def log_out_from_behind(self, request: Request) -> Response:
        """POST logout_token, by a provider itself (OpenID Connect Back-Channel Logout 2.5)."""
        name = request.path_params["provider"]
        try:
            text = (await read_form(request)).get("logout_token", "")
            await self._in_thread(name, self._logins.log_out_from_behind, name, text)
        except PodiumError as error:
            return PlainTextResponse("", 400 if error.status != 404 else 404, {"cache-control": "no-store"})
        return PlainTextResponse("", 200, {"cache-control": "no-store"})

    async def _in_thread(self, name: str, act: Callable[..., T], *arguments: Any) -> T:
        """Each act at each provider has slots of its own; where none is free the answer comes at once.

        Raises `NotFound`, `LoginRefused`.
        """
        if name not in self._logins.clients:
            raise NotFound("There is no such way to log in.")
        limiter = self._limiters.setdefault((name, act.__name__), CapacityLimiter(MOST_AT_ONCE))
        if limiter.available_tokens < 1:
            raise LoginRefused(Notice.BUSY)
        return await to_thread.run_sync(lambda: act(*arguments), limiter=limiter)


def _short(path: str) -> str:
    """A place to go on to is a row of a stranger's; no page of Podium has a longer address."""
    return path if len(path) <= LONGEST_ONWARD else "/"

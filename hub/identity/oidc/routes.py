"""The routes of logins at providers: there, and back.

A login begins with a press on a button of the own page (POST), never with a mere link, and its answer
counts only in the browser that began it.
"""

from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from hub.errors import NotLoggedIn, PodiumError
from hub.identity.answers import LOGIN_PAGE, address_of, cookies_of, leave_for, plain, to, to_login
from hub.identity.bodies import read_form
from hub.identity.cookies import set_cookie
from hub.identity.oidc.providers import GOOGLE
from hub.identity.oidc.service import Browser, LoginRefused, ProviderLogins
from hub.identity.tokens import digest
from hub.routing.next_url import safe_path
from hub.settings import Settings

MOST_AT_ONCE = 10
"""Logins that may wait for providers at once; a slow provider then holds up no other part of the hub."""
ACCOUNT_PAGE = "/account"


class ProviderRoutes:
    """`routes` are for the hub's ASGI app, in front of what answers 404 below `/auth`."""

    def __init__(self, logins: ProviderLogins, settings: Settings) -> None:
        self._logins, self._settings = logins, settings
        self._lifetime = int(settings.token_expire_hours * 3600)
        self._limiter: CapacityLimiter | None = None
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
        try:
            form = await read_form(request)
            onward = onward if linking else safe_path(form.get("next"))
            bindings = [digest(one) for one in cookies_of(request, self._settings, "form")]
            binding = bindings[0] if bindings else ""
            name = form.get("provider", "")
            address = await to_thread.run_sync(self._logins.begin, name, onward, binding, person, limiter=self._slots())
        except LoginRefused as refused:
            return to_login(refused.notice, refused.onward)
        except PodiumError as error:
            return plain(error)
        return leave_for(address, "Go on to the login provider")

    async def finish(self, request: Request) -> Response:
        """GET, sent here by the provider: the session cookie and the way on, or the login page with the reason."""
        browser = Browser(
            bindings=[digest(one) for one in cookies_of(request, self._settings, "form")],
            old_tokens=cookies_of(request, self._settings, "session"),
            address=address_of(request),
            user_agent=request.headers.get("user-agent", ""),
        )
        name, query = request.path_params.get("provider", GOOGLE), dict(request.query_params)
        try:
            finished = await to_thread.run_sync(self._logins.finish, name, query, browser, limiter=self._slots())
        except LoginRefused as refused:
            return to_login(refused.notice, refused.onward)
        except PodiumError as error:
            return plain(error)
        onward = finished.onward
        answer = leave_for(onward, "Go on to your environment") if onward.startswith("/routing/") else to(onward)
        if finished.token:
            answer.headers.append("set-cookie", set_cookie(self._settings, "session", finished.token, self._lifetime))
        return answer

    async def log_out_from_behind(self, request: Request) -> Response:
        """POST logout_token, by a provider itself (OpenID Connect Back-Channel Logout 2.5)."""
        name = request.path_params["provider"]
        try:
            text = (await read_form(request)).get("logout_token", "")
            await to_thread.run_sync(self._logins.log_out_from_behind, name, text, limiter=self._slots())
        except PodiumError as error:
            return PlainTextResponse("", 400 if error.status != 404 else 404, {"cache-control": "no-store"})
        return PlainTextResponse("", 200, {"cache-control": "no-store"})

    def _slots(self) -> CapacityLimiter:
        """Made within the event loop that uses it."""
        self._limiter = self._limiter or CapacityLimiter(MOST_AT_ONCE)
        return self._limiter

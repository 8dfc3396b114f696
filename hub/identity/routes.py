"""The few things about login that need a plain HTTP answer: only such an answer can set a cookie.

The login page checks the password and hands the browser a one-time code; the browser posts it to
`/auth/session`, together with the cookie of its login form, and gets the session cookie. Logging
out is a post as well. Everything else below `/auth` is 404: Streamlit has routes of its own there,
which Podium does not use.
"""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hub.errors import PodiumError, Refused
from hub.identity.answers import address_of, bindings_of, cookies_of, go_on, leave_for, nothing_here, plain, to_login
from hub.identity.bodies import read_form
from hub.identity.cookies import Kind, clear_cookie, set_cookie
from hub.identity.notices import Notice
from hub.identity.oidc.service import ProviderLogins
from hub.identity.service import IdentityService
from hub.routing.next_url import safe_path
from hub.settings import Settings


class IdentityRoutes:
    """Holds what the handlers need; `routes` are for the hub's ASGI app, in front of Streamlit's."""

    def __init__(self, identity: IdentityService, logins: ProviderLogins, settings: Settings) -> None:
        self._identity = identity
        self._logins = logins
        self._settings = settings
        self._lifetime = int(identity.sessions.lifetime.total_seconds())
        self.routes = [
            Route("/auth/session", self.begin, methods=["POST"]),
            Route("/auth/logout", self.log_out, methods=["POST"]),
        ]
        self.last = [
            Route("/auth/{rest:path}", nothing_here, methods=_ANY),
            Route("/auth", nothing_here, methods=_ANY),
            Route("/oauth2callback", nothing_here, methods=_ANY),
        ]

    async def begin(self, request: Request) -> Response:
        """POST code and next: the session cookie and the way on, or back to the login page with the reason."""
        onward = "/"
        try:
            form = await read_form(request)
            onward = safe_path(form.get("next"))
            token = await run_in_threadpool(self._begin, request, form.get("code", ""))
        except Refused:
            return to_login(Notice.LATE, onward)
        except PodiumError as error:
            return plain(error)
        answer = go_on(onward)
        answer.headers.append("set-cookie", set_cookie(self._settings, "session", token, self._lifetime))
        return answer

    def _begin(self, request: Request, code: str) -> str:
        return self._identity.begin_session(
            code,
            bindings=bindings_of(request, self._settings),
            old_tokens=cookies_of(request, self._settings, "session"),
            address=address_of(request),
            user_agent=request.headers.get("user-agent", ""),
        )

    async def log_out(self, request: Request) -> Response:
        """POST: end this browser's session, take its cookies away, and go on to the provider's logout where it has one."""
        tokens = cookies_of(request, self._settings, "session")
        try:
            elsewhere = await run_in_threadpool(self._log_out, tokens)
        except PodiumError as error:
            return plain(error)
        answer = leave_for(elsewhere, "Log out at the provider too") if elsewhere else to_login(Notice.OUT)
        for kind in _OWN_COOKIES:
            answer.headers.append("set-cookie", clear_cookie(self._settings, kind))
        return answer

    def _log_out(self, tokens: list[str]) -> str | None:
        elsewhere = self._logins.log_out_url(tokens, f"{self._settings.root_url}/login")
        self._identity.log_out(tokens)
        return elsewhere


_OWN_COOKIES: tuple[Kind, ...] = ("session", "form")
_ANY = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]

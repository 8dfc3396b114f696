"""The few things about login that need a plain HTTP answer: only such an answer can set a cookie.

The login page checks the password and hands the browser a one-time code; the browser posts it to
`/auth/session`, together with the cookie of its login form, and gets the session cookie. Logging
out is a post as well. Everything else below `/auth` is 404: Streamlit has routes of its own there,
which Podium does not use.
"""

import html
from urllib.parse import urlencode

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from hub.errors import PodiumError, Refused
from hub.identity.bodies import read_form
from hub.identity.cookies import Kind, clear_cookie, cookie_name, read_cookies, set_cookie
from hub.identity.middleware import MOST_COOKIES
from hub.identity.service import IdentityService
from hub.identity.tokens import digest
from hub.routing.next_url import safe_path
from hub.settings import Settings

LOGIN_PAGE = "/login"


class IdentityRoutes:
    """Holds what the handlers need; `routes` are for the hub's ASGI app, in front of Streamlit's."""

    def __init__(self, identity: IdentityService, settings: Settings) -> None:
        self._identity = identity
        self._settings = settings
        self._lifetime = int(identity.sessions.lifetime.total_seconds())
        self.routes = [
            Route("/auth/session", self.begin, methods=["POST"]),
            Route("/auth/logout", self.log_out, methods=["POST"]),
            Route("/auth/{rest:path}", nothing_here, methods=_ANY),
            Route("/auth", nothing_here, methods=_ANY),
            Route("/oauth2callback", nothing_here, methods=_ANY),
        ]

    async def begin(self, request: Request) -> Response:
        """POST code and next: the session cookie and the way on, or back to the login page with the reason."""
        try:
            form = await read_form(request)
            onward = safe_path(form.get("next"))
            token = await run_in_threadpool(self._begin, request, form.get("code", ""))
        except Refused:
            return _to(f"{LOGIN_PAGE}?{urlencode({'again': 'late', 'next': onward})}")
        except PodiumError as error:
            return _plain(error)
        answer = _onward(onward)
        answer.headers.append("set-cookie", set_cookie(self._settings, "session", token, self._lifetime))
        return answer

    def _begin(self, request: Request, code: str) -> str:
        return self._identity.begin_session(
            code,
            bindings=[digest(form) for form in self._cookies(request, "form")],
            old_tokens=self._cookies(request, "session"),
            address=request.client.host if request.client else "",
            user_agent=request.headers.get("user-agent", ""),
        )

    async def log_out(self, request: Request) -> Response:
        """POST: end this browser's session and take its cookies away."""
        try:
            await run_in_threadpool(self._identity.log_out, self._cookies(request, "session"))
        except PodiumError as error:
            return _plain(error)
        answer = _to(f"{LOGIN_PAGE}?again=out")
        for kind in _OWN_COOKIES:
            answer.headers.append("set-cookie", clear_cookie(self._settings, kind))
        return answer

    def _cookies(self, request: Request, kind: Kind) -> list[str]:
        return read_cookies(request.scope["headers"], cookie_name(self._settings, kind))[:MOST_COOKIES]


_OWN_COOKIES: tuple[Kind, ...] = ("session", "form")
_ANY = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


async def nothing_here(_request: Request) -> Response:
    return PlainTextResponse("Not found.\n", status_code=404)


def _plain(error: PodiumError) -> Response:
    return PlainTextResponse(f"{error.sentence}\n", status_code=error.status)


def _onward(path: str) -> Response:
    """The way on after logging in.

    A browser holds the redirects that follow a form to the page's `form-action`, and the way to an
    environment ends on another host; so a page leads there, which is no part of the form any more.
    """
    if not path.startswith("/routing/"):
        return _to(path)
    address = html.escape(path)
    page = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><meta http-equiv="refresh" content="0;url={address}">'
        f'<title>Podium</title><p><a href="{address}">Go on to your environment</a></p></html>'
    )
    return HTMLResponse(page, headers={"cache-control": "no-store"})


def _to(path: str) -> RedirectResponse:
    return RedirectResponse(path, status_code=303, headers={"cache-control": "no-store"})

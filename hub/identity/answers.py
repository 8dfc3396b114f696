"""The plain answers of the login routes: where the browser goes next, and why not."""

import html
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response

from hub.errors import PodiumError
from hub.identity.cookies import Kind, cookie_name, read_cookies
from hub.identity.middleware import MOST_COOKIES
from hub.identity.notices import Notice
from hub.identity.tokens import digest
from hub.settings import Settings

LOGIN_PAGE = "/login"
_NO_STORE = {"cache-control": "no-store", "referrer-policy": "no-referrer"}


async def nothing_here(_request: Request) -> Response:
    return PlainTextResponse("Not found.\n", status_code=404)


def plain(error: PodiumError) -> Response:
    return PlainTextResponse(f"{error.sentence}\n", status_code=error.status)


def to(path: str) -> RedirectResponse:
    return RedirectResponse(path, status_code=303, headers=_NO_STORE)


def to_login(notice: Notice, onward: str = "/") -> RedirectResponse:
    """Back to the login page, which says why."""
    query = {"again": notice.value} | ({"next": onward} if onward != "/" else {})
    return to(f"{LOGIN_PAGE}?{urlencode(query)}")


def leave_for(address: str, words: str) -> Response:
    """The way to another host after a form.

    A browser holds the redirects that follow a form to the page's `form-action`, so a page leads
    there, which is no part of the form any more.
    """
    target = html.escape(address)
    page = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><meta http-equiv="refresh" content="0;url={target}">'
        f'<title>Podium</title><p><a href="{target}">{html.escape(words)}</a></p></html>'
    )
    return HTMLResponse(page, headers=_NO_STORE)


def go_on(path: str) -> Response:
    """The way on after a login; an environment's is on another host."""
    return leave_for(path, "Go on to your environment") if path.startswith("/routing/") else to(path)


def bindings_of(request: Request, settings: Settings) -> list[str]:
    """What a code or an attempt of this browser's is bound to."""
    return [digest(one) for one in cookies_of(request, settings, "form")]


def cookies_of(request: Request, settings: Settings, kind: Kind) -> list[str]:
    """The cookies of that kind, no more than a browser of one person sends."""
    return read_cookies(request.scope["headers"], cookie_name(settings, kind))[:MOST_COOKIES]


def address_of(request: Request) -> str:
    return request.client.host if request.client else ""

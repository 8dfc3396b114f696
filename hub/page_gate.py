"""Sends strangers to the login page before Streamlit answers, and people who are logged in away from it.

Streamlit answers every path with its one page, so a stranger's bookmark would load the whole
frontend just to show a refusal. The guards in the pages stay what decides. A file that Streamlit does
not have is not there.
"""

from collections.abc import Collection
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

PAGES = frozenset({"/", "/environments", "/workspaces", "/account", "/everyone", "/users", "/audit"})
"""The paths of pages for people who are logged in."""


class PageGate:
    """ASGI middleware, inside the identity middleware. `assets` are the files that Streamlit serves below `/static/`."""

    def __init__(self, app: ASGIApp, assets: Collection[str]) -> None:
        self._app = app
        self._assets = assets

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith("/static/") and scope["path"] not in self._assets:
            # Streamlit would answer with its page, which a proxy would then keep for a file of the next version.
            await PlainTextResponse("Not found.\n", 404, {"cache-control": "no-store"})(scope, receive, send)
            return
        elsewhere = self._elsewhere(scope) if scope["type"] == "http" and scope["method"] == "GET" else None
        if elsewhere is None:
            await self._app(scope, receive, send)
        else:
            await RedirectResponse(elsewhere, status_code=303, headers={"cache-control": "no-store"})(scope, receive, send)

    @staticmethod
    def _elsewhere(scope: Scope) -> str | None:
        request = Request(scope)
        path, known = scope["path"].rstrip("/") or "/", scope["state"]["person"] is not None
        if path in PAGES and not known:
            wanted = path + (f"?{request.url.query}" if request.url.query else "")
            return "/login" if wanted == "/" else f"/login?{urlencode({'next': wanted})}"
        return "/" if path == "/login" and known else None

"""Podium's own answers in place of an environment: every bookmark leads somewhere.

A browser that navigates gets a page (or is sent to log in), anything else the status alone. Not
yours and unknown are one page. A page of something that starts polls its own state and opens by
itself. Nothing on it is ever a traceback, and no script runs but its own.
"""

import secrets
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment as Templates
from jinja2 import FileSystemLoader, StrictUndefined
from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from hub.identity.cookies import cookie_name, read_cookies, set_cookie
from hub.identity.tokens import digest, new_token
from hub.routing import gateway_websocket
from hub.routing.addresses import Addresses, Place
from hub.routing.decisions import Decision, Denied, Door, Environments
from hub.routing.gateway_http import target
from hub.routing.headers import value
from hub.routing.next_url import safe_path
from hub.settings import Settings

STATUS: Mapping[Door, int] = {
    Door.LOGIN: 401,
    Door.UNKNOWN: 404,
    Door.STOPPED: 409,
    Door.QUEUED: 409,
    Door.STARTING: 409,
    Door.STOPPING: 409,
    Door.FAILED: 409,
    Door.SILENT: 502,
    Door.AWAY: 503,
    Door.USED: 403,
}
"""What a request that is no navigation gets, and `/_podium/alive` too."""

NONCE_SECONDS = 600

_PATIENT = {Door.QUEUED, Door.STARTING, Door.STOPPING, Door.SILENT, Door.AWAY}
_templates = Templates(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


class Doors:
    """`login` is the hub's page to log in, which takes `next`."""

    def __init__(self, settings: Settings, addresses: Addresses, environments: Environments, login: str) -> None:
        self._settings = settings
        self._addresses = addresses
        self._environments = environments
        self._login = login

    async def answer(self, denied: Denied, place: Place, scope: Scope, receive: Receive, send: Send) -> None:
        """The answer to a request that may not, or cannot, reach its environment."""
        status = STATUS[denied.door]
        if scope["type"] == "websocket":
            await receive()
            await gateway_websocket.refuse(scope, send, status)
            return
        response = await self.response(denied, place, scope)
        await response(scope, receive, send)

    async def response(self, denied: Denied, place: Place, scope: Scope, wanted: str | None = None) -> Response:
        """`wanted` is the path that the browser asked for, where it is not this request's own."""
        if not _is_navigation(scope):
            return PlainTextResponse(denied.door.value, STATUS[denied.door], _bare(denied.door))
        path = safe_path(wanted or target(scope))
        if denied.door is Door.LOGIN:
            return self._to_login(place, path, scope)
        return await run_in_threadpool(self.page, denied, place, path)

    def page(self, denied: Denied, place: Place, path: str, note: str = "") -> Response:
        """The whole page. `note` is a sentence about what was just tried."""
        nonce = secrets.token_urlsafe(16)
        html = _templates.get_template("door.html.j2").render(
            main=self._main(denied, place, path, note),
            nonce=nonce,
            door=denied.door.value,
            poll=self._addresses.prefix(place.slug) + "/_podium/door" if denied.door in _PATIENT and place.slug else "",
        )
        return HTMLResponse(html, STATUS[denied.door], {**_bare(denied.door), **_protected(nonce, self._addresses.root)})

    def progress(self, decision: Decision, place: Place) -> Response:
        """What an open door page asks for every second."""
        if not isinstance(decision, Denied):
            return JSONResponse({"open": True, "main": ""}, headers={"Cache-Control": "no-store"})
        content = {
            "open": decision.door is Door.LOGIN,
            "door": decision.door.value,
            "main": self._main(decision, place, "/", ""),
        }
        return JSONResponse(content, headers={"Cache-Control": "no-store"})

    def _main(self, denied: Denied, place: Place, path: str, note: str) -> Any:
        view = denied.view
        expected = self._environments.checkpoints(view) if view and denied.door is Door.STARTING else ()
        return _templates.get_template("door_main.html.j2").render(
            door=denied.door.value,
            name=view.name if view else "",
            reason=view.reason if view else "",
            position=view.queue_position if view else None,
            steps=_steps(view.checkpoints if view else (), expected),
            note=note,
            launch=self._addresses.prefix(place.slug) + "/_podium/launch",
            back=f"{self._addresses.root}/",
            path=path,
        )

    def _to_login(self, place: Place, path: str, scope: Scope) -> Response:
        """Send the browser to the hub: to hand over a login to this host, or to log in first."""
        if not self._addresses.by_host:
            return see_other(f"{self._login}?{urlencode({'next': path})}")
        held = read_cookies(scope["headers"], cookie_name(self._settings, "entry-nonce"))
        nonce = held[0] if held and len(held[0]) == _NONCE_LENGTH else new_token()
        asked = {"environment": place.slug, "binding": digest(nonce), "next": path}
        response = see_other(f"{self._addresses.root}/routing/enter?{urlencode(asked)}")
        response.headers.append("Set-Cookie", set_cookie(self._settings, "entry-nonce", nonce, NONCE_SECONDS))
        return response


_NONCE_LENGTH = len(new_token())


def see_other(address: str) -> RedirectResponse:
    return RedirectResponse(address, 303, {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"})


def _is_navigation(scope: Scope) -> bool:
    """Whether a person looks at the answer, rather than a script."""
    if scope["method"] not in {"GET", "HEAD"}:
        return False
    mode = value(scope["headers"], b"sec-fetch-mode")
    return mode == "navigate" if mode else "text/html" in value(scope["headers"], b"accept")


def _bare(door: Door) -> dict[str, str]:
    return {"Cache-Control": "no-store", "X-Podium-Door": door.value, "X-Content-Type-Options": "nosniff"}


def _protected(nonce: str, hub: str) -> dict[str, str]:
    """The form that launches may end at the hub's login, and browsers hold a form's redirects to `form-action` too."""
    policy = (
        f"default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; connect-src 'self'; "
        f"form-action 'self' {hub}; base-uri 'none'; frame-ancestors 'none'"
    )
    return {"Content-Security-Policy": policy, "Referrer-Policy": "no-referrer", "Cross-Origin-Opener-Policy": "same-origin"}


def _steps(reached: tuple[Mapping[str, str], ...], expected: tuple[str, ...]) -> list[dict[str, Any]]:
    """Checkpoints in order: those reached with their time, the present one, the coming ones."""
    at = {step["name"]: step["at"] for step in reached}
    names = [*expected, *(name for name in at if name not in expected)]
    present = next((name for name in names if name not in at), None)
    return [{"name": name, "at": _clock(at.get(name)), "present": name == present} for name in names]


def _clock(at: str | None) -> dict[str, str] | None:
    """The exact time for the browser, which shows it in its own zone, and one in UTC to begin with."""
    return {"exact": at, "shown": f"{datetime.fromisoformat(at):%H:%M:%S} UTC"} if at else None

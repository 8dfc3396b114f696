"""Says of each request who makes it, and lets nobody say it for themselves.

Streamlit believes the headers of `server.trustedUserHeaders` whoever sent them. So every header
that could be taken for an identity is removed first, in all spellings that some server would read
as the same, for HTTP and WebSocket alike; only then are the hub's own added. The session cookie is
looked up once, here, and nowhere else.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from anyio import to_thread
from starlette.datastructures import MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hub.errors import DatabaseSilent
from hub.identity.cookies import cookie_name, read_cookies, set_cookie
from hub.identity.person import Person
from hub.identity.sessions import Sessions
from hub.identity.tokens import digest, new_token
from hub.settings import Settings

_TAKEN_FOR_IDENTITY = ("x-podium-", "x-hub-", "x-auth-request-", "x-webauth-", "x-remote-")
_IDENTITY_HEADERS = frozenset(
    {
        "remote-user",
        "x-forwarded-user",
        "x-forwarded-email",
        "x-forwarded-groups",
        "x-forwarded-preferred-username",
        "x-forwarded-access-token",
        "x-user",
        "x-email",
        "x-authenticated-user",
    }
)
_PUBLIC = ("/static/", "/_stcore/health", "/favicon")
"""What is the same for everyone; nobody is looked up for it."""

MOST_COOKIES = 4
"""Session cookies of one name that are tried. Browsers send one; more come from a hostile sibling host."""


class IdentityMiddleware:
    """ASGI middleware. Sets `scope["state"]["person"]` to a `Person` or None; answers 503 while the database is silent."""

    def __init__(self, app: ASGIApp, sessions: Sessions, settings: Settings) -> None:
        self._app = app
        self._sessions = sessions
        self._settings = settings
        self._session_cookie = cookie_name(settings, "session")
        self._form_cookie = cookie_name(settings, "form")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        try:
            person = await self._person(scope)
        except DatabaseSilent as silent:
            await _answer_silent(scope, receive, send, silent)
            return
        forms = read_cookies(scope["headers"], self._form_cookie)
        state = {**scope.get("state", {}), "person": person}
        known = {**scope, "state": state, "headers": [*without_identity(scope["headers"]), *_identity(person, forms)]}
        await self._app(known, receive, send if forms else self._with_form_cookie(scope, send))

    async def _person(self, scope: Scope) -> Person | None:
        """The one person whose session the cookies hold; nobody where they hold several people's."""
        tokens = read_cookies(scope["headers"], self._session_cookie)[:MOST_COOKIES]
        if not tokens or scope["path"].startswith(_PUBLIC):
            return None
        found = [await to_thread.run_sync(self._sessions.resolve, token) for token in tokens]
        people = {person.session_id: person for person in found if person}
        return next(iter(people.values())) if len(people) == 1 else None

    def _with_form_cookie(self, scope: Scope, send: Send) -> Callable[[Message], Awaitable[None]]:
        """Give a browser that opens a page the cookie to which its login form is bound."""

        async def wrapped(message: Message) -> None:
            if message["type"] == "http.response.start" and scope.get("method") == "GET":
                headers = MutableHeaders(scope=message)
                if headers.get("content-type", "").startswith("text/html"):
                    headers.append("set-cookie", set_cookie(self._settings, "form", new_token()))
            await send(message)

        return wrapped


def without_identity(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """The headers without those that some server in the chain could take for somebody's identity."""
    return [(name, value) for name, value in headers if not _claims_identity(name)]


def _claims_identity(name: bytes) -> bool:
    plain = name.decode("latin-1").lower().replace("_", "-")
    return plain.startswith(_TAKEN_FOR_IDENTITY) or plain in _IDENTITY_HEADERS


def _identity(person: Person | None, forms: list[str]) -> list[tuple[bytes, bytes]]:
    headers: dict[bytes, str] = {}
    if person:
        headers = {b"x-podium-user": person.user_id, b"x-podium-session": person.session_id}
    if forms:
        headers[b"x-podium-form"] = digest(forms[0])
    return [(name, value.encode()) for name, value in headers.items()]


async def _answer_silent(scope: Scope, receive: Receive, send: Send, silent: DatabaseSilent) -> None:
    if scope["type"] == "websocket":
        closing: dict[str, Any] = {"type": "websocket.close", "code": 1013}
        await send(closing)
    else:
        await PlainTextResponse(f"{silent.sentence}\n", status_code=silent.status)(scope, receive, send)

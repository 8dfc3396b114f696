"""Who makes a request is said by the hub alone: forged headers, planted cookies and a silent database."""

import asyncio
from typing import Any

import pytest
from starlette.requests import HTTPConnection
from starlette.types import Message, Receive, Scope, Send

from hub.database import Database
from hub.identity.cookies import clear_cookie, cookie_name, read_cookies, set_cookie
from hub.identity.middleware import IdentityMiddleware
from hub.identity.person import Person
from hub.identity.service import IdentityService
from hub.identity.sessions import Sessions
from hub.identity.tokens import digest
from hub.settings import Settings
from tests.identity.conftest import LIFETIME, browse, register

SECURE, PLAIN = Settings(), Settings(base_domain="hub.example.org")
FORGED = [
    "X-Podium-User", "x-podium-user", "X_PODIUM_USER", "X-Podium_User", "X-Podium-Session", "X-Podium-Form", "X-Hub-User",
    "X-Forwarded-User", "X_Forwarded_User", "X-Forwarded-Email", "X-Forwarded-Preferred-Username", "X-Forwarded-Groups",
    "X-Auth-Request-User", "X-Remote-User", "Remote-User", "Remote_User", "X-WebAuth-User",
]  # fmt: skip


class Seen:
    """The application behind the middleware: keeps what it was asked, and answers with a page."""

    def __init__(self, content_type: bytes = b"text/html; charset=utf-8") -> None:
        self.scope: Scope = {}
        self._content_type = content_type

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        self.scope = scope
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", self._content_type)]})
            await send({"type": "http.response.body", "body": b""})

    @property
    def headers(self) -> dict[str, str]:
        return dict(HTTPConnection(self.scope).headers)

    @property
    def person(self) -> Person | None:
        found: Person | None = self.scope["state"]["person"]
        return found


def ask(middleware: IdentityMiddleware, kind: str = "http", path: str = "/", **headers: str) -> list[Message]:
    """Pass one request through; what was sent back."""
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.request"}

    pairs = [(name.replace("__", "-").lower().encode(), value.encode()) for name, value in headers.items()]
    scope: dict[str, Any] = {"type": kind, "method": "GET", "path": path, "query_string": b"", "headers": pairs, "state": {}}
    asyncio.run(middleware(scope, receive, send))
    return sent


def cookies_set(sent: list[Message]) -> list[str]:
    return [value.decode() for name, value in sent[0]["headers"] if name == b"set-cookie"]


@pytest.mark.case("A4-1")
@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize("name", FORGED)
def test_a_client_cannot_say_who_it_is(identity: IdentityService, name: str, kind: str) -> None:
    seen = Seen()
    ask(IdentityMiddleware(seen, identity.sessions, SECURE), kind, **{name: "mallory", "Accept": "kept"})
    assert "mallory" not in seen.headers.values()
    assert seen.headers["accept"] == "kept"
    assert seen.person is None


@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_a_session_s_cookie_says_who_it_is(identity: IdentityService, kind: str) -> None:
    register(identity, "grace")
    token, person = browse(identity, "grace")
    seen = Seen()
    cookie = f"other=1; __Host-podium={token}; __Host-podium-form=a-form"
    ask(IdentityMiddleware(seen, identity.sessions, SECURE), kind, Cookie=cookie, X__Podium__User="mallory")
    assert seen.person == person
    assert seen.headers["x-podium-user"] == person.user_id
    assert seen.headers["x-podium-session"] == person.session_id
    assert seen.headers["x-podium-form"] == digest("a-form")


@pytest.mark.case("CVE-2024-28233")
def test_a_planted_cookie_beside_the_own_one_changes_nothing(identity: IdentityService) -> None:
    register(identity, "grace")
    token, person = browse(identity, "grace")
    for cookie in (f"podium=planted; podium={token}", f"podium={token}; podium=planted", f"podium={token}; podium="):
        seen = Seen()
        ask(IdentityMiddleware(seen, identity.sessions, PLAIN), Cookie=cookie)
        assert seen.person == person


@pytest.mark.case("CVE-2024-28233")
def test_two_people_s_sessions_in_one_request_are_nobody(identity: IdentityService) -> None:
    register(identity, "grace")
    register(identity, "eve")
    (own, _), (planted, _) = browse(identity, "grace"), browse(identity, "eve")
    seen = Seen()
    ask(IdentityMiddleware(seen, identity.sessions, PLAIN), Cookie=f"podium={planted}; podium={own}")
    assert seen.person is None


@pytest.mark.case("CVE-2024-28233")
def test_where_browsers_guard_the_name_the_unguarded_one_counts_for_nothing(identity: IdentityService) -> None:
    register(identity, "grace")
    token, _ = browse(identity, "grace")
    for name in ("podium", "__host-podium", "__Host-podium2", "x__Host-podium"):
        seen = Seen()
        ask(IdentityMiddleware(seen, identity.sessions, SECURE), Cookie=f"{name}={token}")
        assert seen.person is None


@pytest.mark.case("A2-3")
@pytest.mark.case("A6-5")
def test_cookies_of_streamlit_and_its_authenticator_are_nobody(identity: IdentityService) -> None:
    seen = Seen()
    others = "some_cookie_name=eyJhbGciOiJIUzI1NiJ9.e30.x; _streamlit_user=signed; streamlit_auth=1"
    ask(IdentityMiddleware(seen, identity.sessions, SECURE), Cookie=others)
    assert seen.person is None
    assert not any(name.startswith("x-podium") for name in seen.headers)


@pytest.mark.case("A8-1")
@pytest.mark.case("A8-10")
@pytest.mark.case("A2-8")
def test_cookies_are_out_of_reach_of_scripts_and_siblings_and_small() -> None:
    value = set_cookie(SECURE, "session", "x" * 43, 28800)
    assert value == f"__Host-podium={'x' * 43}; Path=/; HttpOnly; SameSite=Lax; Secure; Max-Age=28800"
    assert len(value) < 4096
    assert "Secure" not in set_cookie(PLAIN, "session", "x")
    assert cookie_name(PLAIN, "session") == "podium"
    assert clear_cookie(SECURE, "form") == "__Host-podium-form=; Path=/; HttpOnly; SameSite=Lax; Secure; Max-Age=0"


def test_cookies_are_read_in_order_from_every_header() -> None:
    headers = [(b"cookie", b"a=1; b=2; a=3; a; a =4"), (b"Cookie", b"a=1;a=5=6"), (b"set-cookie", b"a=7")]
    assert read_cookies(headers, "a") == ["1", "3", "5=6"]


def test_whoever_opens_a_page_gets_a_form_s_cookie_once(identity: IdentityService) -> None:
    page, script = Seen(), Seen(b"text/javascript")
    first, second = (cookies_set(ask(IdentityMiddleware(page, identity.sessions, SECURE))) for _ in range(2))
    assert first[0].startswith("__Host-podium-form=")
    assert first != second
    assert cookies_set(ask(IdentityMiddleware(page, identity.sessions, SECURE), Cookie="__Host-podium-form=mine")) == []
    assert cookies_set(ask(IdentityMiddleware(script, identity.sessions, SECURE))) == []


def test_while_the_database_is_silent_the_answer_is_to_come_back() -> None:
    nowhere = Database("postgresql+psycopg://nobody@127.0.0.1:1/nothing")
    middleware = IdentityMiddleware(Seen(), Sessions(nowhere, LIFETIME), SECURE)
    assert ask(middleware, Cookie="__Host-podium=x")[0]["status"] == 503
    assert ask(middleware, "websocket", Cookie="__Host-podium=x") == [{"type": "websocket.close", "code": 1013}]
    assert ask(middleware, path="/static/js/x.js", Cookie="__Host-podium=x")[0]["status"] == 200
    nowhere.close()

"""Nothing that another site makes a browser send changes anything: every route there is, read from the route table."""

import asyncio
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hub import datafolder, services
from hub.asgi import create_app
from hub.database import Database
from hub.far_side import FarSide
from hub.routing.app import RoutingApp
from hub.routing.isolation import SAFE_METHODS
from hub.routing.own_nginx import OwnNginx
from hub.settings import Settings
from tests.identity.conftest import browse, register
from tests.support.memory_spawner import MemorySpawner

OWN = "http://localhost:8501"
FOREIGN = [
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"sec-fetch-site": "none"},
    {"sec-fetch-site": "cross-site", "origin": OWN},
    {"sec-fetch-site": "same-site", "origin": "http://evil.localhost:8501"},
    {"sec-fetch-site": "cross-site", "origin": "null"},
    {"sec-fetch-site": "same-origin", "origin": "http://evil.localhost:8501"},
    {"origin": "http://evil.example"},
    {"origin": "http://localhost:9000"},
    {"origin": "https://localhost:8501"},
    {"origin": "http://localhost:8501.evil.example"},
    {"origin": "null"},
    {"origin": ""},
    {},
]
OURS = [
    {"sec-fetch-site": "same-origin"},
    {"sec-fetch-site": "same-origin", "origin": "null"},
    {"sec-fetch-site": "same-origin", "origin": OWN},
    {"origin": OWN},
]


@pytest.fixture
def hub_app(tmp_path: Path, sqlite_template: Path) -> Iterator[tuple[RoutingApp, str]]:
    """The hub's app as it is composed, and a logged-in person's cookie."""
    (tmp_path / "podium.db").write_bytes(sqlite_template.read_bytes())
    database = Database(f"sqlite:///{tmp_path / 'podium.db'}")
    built = services.build(
        Settings(data_dir=tmp_path), datafolder.prepare(tmp_path), database, FarSide("local", MemorySpawner(), str)
    )
    register(built.identity, "grace")
    token, _ = browse(built.identity, "grace")
    behind_nginx = create_app(built)
    assert isinstance(behind_nginx, OwnNginx)
    app = behind_nginx._app
    assert isinstance(app, RoutingApp)
    yield app, f"__Host-podium={token}"
    database.close()


def mutating(app: RoutingApp) -> list[tuple[str, str]]:
    """Every method and path that may change something, pages and what Streamlit has of its own included."""
    inner = app._hub_app
    assert isinstance(inner, Starlette)
    known = [(route.path, route.methods or set()) for route in inner.routes if isinstance(route, Route)]
    mounted = [
        (f"{route.path}/_stcore/upload_file/a/b", {"POST", "PUT", "DELETE"})
        for route in inner.routes
        if isinstance(route, Mount)
    ]
    return [(method, path) for path, methods in (*known, *mounted) for method in sorted(methods - SAFE_METHODS)]


@pytest.mark.case("CVE-2020-36191")
@pytest.mark.case("CVE-2026-40864")
@pytest.mark.case("A8-14")
@pytest.mark.case("A8-15")
@pytest.mark.case("A6-6")
def test_every_route_that_changes_something_refuses_what_other_pages_send(hub_app: tuple[RoutingApp, str]) -> None:
    app, cookie = hub_app
    routes = mutating(app)
    assert ("POST", "/auth/session") in routes
    assert ("POST", "/auth/logout") in routes

    async def answers() -> list[int]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=OWN, headers={"cookie": cookie}) as client:
            return [
                (await client.request(method, path, headers={**sent, "sec-fetch-mode": mode})).status_code
                for (method, path), sent, mode in product(routes, FOREIGN, ("no-cors", "cors", "navigate"))
            ]

    statuses = asyncio.run(answers())
    assert len(statuses) == len(routes) * len(FOREIGN) * 3
    assert set(statuses) == {403}


@pytest.mark.case("CVE-2020-36191")
def test_the_own_pages_get_through(hub_app: tuple[RoutingApp, str]) -> None:
    app, cookie = hub_app

    async def answers() -> set[int]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=OWN, headers={"cookie": cookie}) as client:
            return {(await client.post("/auth/logout", headers=sent)).status_code for sent in OURS}

    assert asyncio.run(answers()) == {303}


def test_a_program_that_carries_no_cookie_is_not_taken_for_a_page(hub_app: tuple[RoutingApp, str]) -> None:
    app, _ = hub_app

    async def answer() -> int:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=OWN) as client:
            return (await client.post("/auth/logout")).status_code

    assert asyncio.run(answer()) != 403


async def accepting(scope: Scope, _receive: Receive, send: Send) -> None:
    await send({"type": f"{scope['type']}.accept"})


def opens(app: ASGIApp, headers: dict[str, str]) -> bool:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    pairs = [(name.encode(), value.encode()) for name, value in headers.items()]

    async def open_it() -> None:
        await app(
            {"type": "websocket", "path": "/_stcore/stream", "raw_path": b"/_stcore/stream", "headers": pairs}, receive, send
        )

    asyncio.run(open_it())
    return bool(sent[0]["type"] == "websocket.accept")


@pytest.mark.case("A6-1")
@pytest.mark.case("A6-9")
@pytest.mark.parametrize("cookie", [{}, {"cookie": "__Host-podium=x"}], ids=["without", "with"])
def test_a_socket_opens_for_the_own_page_only_with_and_without_a_cookie(
    hub_app: tuple[RoutingApp, str], cookie: dict[str, str]
) -> None:
    guard = RoutingApp(accepting, hub_app[0]._routing)
    host = {"host": "localhost:8501", **cookie}
    assert opens(guard, {**host, "origin": OWN})
    for origin in (
        "http://evil.example",
        "http://evil.localhost:8501",
        "http://localhost:3000",
        "http://127.0.0.1:8501",
        "null",
    ):
        assert not opens(guard, {**host, "origin": origin}), origin

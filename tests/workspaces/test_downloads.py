"""A download: in parts as they come, few of one person at once, and over when the session is."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace

import httpx
import pytest
from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send

from hub.database import Database
from hub.identity.person import Person
from hub.identity.service import IdentityService
from hub.workspaces import archives
from hub.workspaces.archives import MOST_OF_ONE, Archives
from hub.workspaces.routes import WorkspaceRoutes
from tests.identity.conftest import LIFETIME, browse, register, stops_nothing
from tests.routing.serving import listener, serving

PART = b"x" * 4096


def endless(_person: Person, _workspace_id: str) -> tuple[str, Iterator[bytes]]:
    """What a spawner gives for a workspace that has no end."""

    def parts() -> Iterator[bytes]:
        while True:
            time.sleep(0.002)
            yield PART

    return "maps.tar.gz", parts()


@contextmanager
def downloads(identity: IdentityService, person: Person) -> Iterator[str]:
    """The address of a download of that person's."""
    found = WorkspaceRoutes(Archives(SimpleNamespace(archive=endless)), identity.sessions)  # type: ignore[arg-type]
    bound = listener()
    with serving(as_person(Starlette(routes=found.routes), person), bound):
        yield f"http://127.0.0.1:{bound.getsockname()[1]}/workspaces/maps/archive"


def as_person(app: ASGIApp, person: Person) -> ASGIApp:
    async def known(scope: Scope, receive: Receive, send: Send) -> None:
        await app({**scope, "state": {"person": person}}, receive, send)

    return known


@pytest.fixture
def identity(database: Database) -> IdentityService:
    return IdentityService(database, LIFETIME, stops_nothing)


def test_a_download_ends_when_the_session_does(identity: IdentityService, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "LOOK_EVERY", 0.1)
    user = register(identity, "grace")
    _, person = browse(identity, "grace")
    with downloads(identity, person) as address, httpx.stream("GET", address, timeout=20) as download:
        parts = download.iter_raw()
        assert next(parts)
        identity.disable(user.id)
        assert sum(len(part) for part in parts) < 50_000_000


def test_a_person_has_few_downloads_at_once_and_a_broken_one_is_none(identity: IdentityService) -> None:
    register(identity, "grace")
    _, person = browse(identity, "grace")
    with downloads(identity, person) as address, httpx.Client(timeout=20) as client:
        open_ones = [begun(client, address) for _ in range(MOST_OF_ONE)]
        assert [one.status_code for one in open_ones] == [200] * MOST_OF_ONE
        refused = begun(client, address)
        assert refused.status_code == 429
        refused.close()
        open_ones[0].close()
        deadline = time.monotonic() + 10
        while (again := begun(client, address)).status_code == 429:
            again.close()
            assert time.monotonic() < deadline
        assert again.status_code == 200
        for one in (*open_ones, again):
            one.close()


def begun(client: httpx.Client, address: str) -> httpx.Response:
    """The answer's head; the rest is left to come."""
    return client.send(client.build_request("GET", address), stream=True)

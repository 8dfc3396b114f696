"""Where a request comes from: what a trusted proxy says, and nobody else."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from hub.errors import CannotStart
from hub.identity import codes
from hub.identity.tokens import digest
from hub.settings import load
from tests.identity.conftest import Hub, cookie, register, served

PROXY, STRANGER = "127.0.0.2", "127.0.0.9"


@pytest.fixture(scope="module")
def fronted(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    with served(tmp_path_factory.mktemp("proxies"), sqlite_template, trusted_proxies=f"{PROXY}, 10.0.0.0/8") as hub:
        register(hub.identity, "grace")
        yield hub


def address_seen(hub: Hub, source: str, **headers: str) -> str:
    """Log in from there; the address that the session has."""
    user = hub.identity.find_user("grace")
    with hub.database.writing("test code") as session:
        code = codes.issue(session, codes.LOGIN, user.id, timedelta(seconds=60), binding=digest("form"))
    own = {"origin": hub.url, "host": f"localhost:{hub.port}", "sec-fetch-site": "same-origin"}
    transport = httpx.HTTPTransport(local_address=source)
    with httpx.Client(transport=transport, base_url=f"http://127.0.0.1:{hub.port}", headers=own) as client:
        answer = client.post("/auth/session", data={"code": code}, headers={"cookie": "__Host-podium-form=form", **headers})
    person = hub.identity.sessions.resolve(cookie(answer, "__Host-podium"))
    assert person
    return next(view.address for view in hub.identity.sessions.of_user(user.id) if view.id == person.session_id)


@pytest.mark.parametrize(
    ("source", "told", "seen"),
    [
        (PROXY, "203.0.113.7", "203.0.113.7"), (PROXY, "198.51.100.1, 203.0.113.7", "203.0.113.7"),
        (PROXY, "203.0.113.7, 10.1.2.3", "203.0.113.7"), (PROXY, "2001:db8::7", "2001:db8::7"),
        (STRANGER, "203.0.113.7", STRANGER), (STRANGER, f"{PROXY}", STRANGER),
    ],
)  # fmt: skip
def test_only_a_trusted_proxy_says_where_a_request_comes_from(fronted: Hub, source: str, told: str, seen: str) -> None:
    assert address_seen(fronted, source, **{"x-forwarded-for": told}) == seen


def test_without_a_trusted_proxy_nobody_says_it(hub_alone: Hub) -> None:
    assert address_seen(hub_alone, PROXY, **{"x-forwarded-for": "203.0.113.7"}) == PROXY


@pytest.fixture
def hub_alone(sqlite_template: Path, tmp_path: Path) -> Iterator[Hub]:
    with served(tmp_path, sqlite_template) as hub:
        register(hub.identity, "grace")
        yield hub


@pytest.mark.case("CVE-2026-40575")
@pytest.mark.parametrize("everybody", ["0.0.0.0/0", "::/0", "10.0.0.1, 0.0.0.0/0", "*", "proxy.example.org"])
def test_a_rule_that_trusts_everybody_stops_the_start(tmp_path: Path, everybody: str) -> None:
    with pytest.raises(CannotStart, match="TRUSTED_PROXIES"):
        load({"PODIUM_TRUSTED_PROXIES": everybody}, tmp_path / ".env")

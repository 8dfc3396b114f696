"""People, sessions and a hub that is served for real, for the tests of login."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, sync_playwright
from sqlmodel import Session

from hub.database import Database
from hub.identity.model import Role
from hub.identity.person import Person
from hub.identity.service import IdentityService
from hub.identity.tokens import digest, new_token
from hub.identity.users import UserView
from hub.settings import ROOT

PASSWORD = "seven quiet herons at dawn"
CHROMIUM = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run")


def stops_nothing(_session: Session, _user_id: str) -> None:
    """These people have no environments."""


def eventually(condition: Callable[[], object], what: str, seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"{what}: not within {seconds} s")
        time.sleep(0.02)


def register(identity: IdentityService, name: str, role: Role = Role.USER, display_name: str = "Ada Lovelace") -> UserView:
    """A user with the password that all have in these tests."""
    user = identity.add_user(name, display_name, role)
    return identity.set_password_by_link(identity.make_password_link(user.id), PASSWORD)


def log_in(identity: IdentityService, name: str, old_tokens: tuple[str, ...] = ()) -> tuple[str, Person]:
    """The cookie's value and whose it is, as after the login page."""
    form = digest(new_token())
    code = identity.log_in_with_password(name, PASSWORD, form, "192.0.2.1")
    token = identity.begin_session(code, [form], old_tokens, "192.0.2.1", "a browser")
    person = identity.sessions.resolve(token)
    assert person is not None
    return token, person


@pytest.fixture
def identity(database: Database) -> IdentityService:
    return IdentityService(database, timedelta(hours=8), stops_nothing)


@dataclass(frozen=True)
class Hub:
    """A hub in a process of its own; `identity` looks at the same database from this process."""

    url: str
    port: int
    database: Database
    identity: IdentityService
    log: Path

    def client(self) -> httpx.Client:
        """A browser's plain requests, from a page of the hub's own."""
        return httpx.Client(base_url=self.url, headers={"origin": self.url, "sec-fetch-site": "same-origin"})

    def log_in(self, client: httpx.Client, name: str) -> None:
        """Log in by HTTP, as the login page does it."""
        client.get("/")
        form = client.cookies["__Host-podium-form"]
        code = self.identity.log_in_with_password(name, PASSWORD, digest(form), "")
        assert client.post("/auth/session", data={"code": code}).headers["location"] == "/"


@pytest.fixture(scope="module")
def hub(_sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    folder = tmp_path_factory.mktemp("hub")
    url = f"sqlite:///{folder / 'podium.db'}"
    (folder / "podium.db").write_bytes(_sqlite_template.read_bytes())
    log = folder / "log"
    command = [sys.executable, "-m", "tests.identity.serve", str(folder), url]
    with log.open("wb") as errors, subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=errors) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline() or 0)
        assert port, log.read_text("utf-8")
        address, database = f"http://localhost:{port}", Database(url)
        eventually(lambda: answers(address), "the hub answers", 30)
        yield Hub(address, port, database, IdentityService(database, timedelta(hours=8), stops_nothing), log)
        database.close()
        process.terminate()


def answers(address: str) -> bool:
    try:
        return httpx.get(f"{address}/_stcore/health").text == "ok"
    except httpx.TransportError:
        return False


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A tab in a browser that knows nothing yet."""
    with chromium.new_context() as context:
        yield context.new_page()

"""People, sessions and a hub that is served for real, for the tests of login."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page
from sqlmodel import Session

from hub.database import Database
from hub.identity import links, passwords, users
from hub.identity.person import Person
from hub.identity.roles import Role
from hub.identity.service import IdentityService
from hub.identity.tokens import digest, new_token
from hub.identity.users import UserView
from hub.settings import ROOT
from tests.support import chromium, leaks

PASSWORD = "seven quiet herons at dawn"
LIFETIME = timedelta(hours=8)


def stops_nothing(_session: Session, _user_id: str) -> None:
    """These people have no environments."""


def eventually(condition: Callable[[], object], what: str, seconds: float = 10) -> None:
    """Fails with `what` where the condition does not come true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"{what}: not within {seconds} s")
        time.sleep(0.02)


@cache
def password_hash() -> str:
    """Made once: at bcrypt's cost the tests would otherwise do little else."""
    return passwords.hash_new(PASSWORD)


def register(identity: IdentityService, name: str, role: Role = Role.USER, display_name: str = "Grace Hopper") -> UserView:
    """A user with the password that all have in these tests."""
    user = identity.add_user(name, display_name, role)
    with identity._database.writing("test password") as session:
        links.store(session, users.get(session, user.id), password_hash())
    return identity.find_user(name)


def browse(identity: IdentityService, name: str) -> tuple[str, Person]:
    """A session of that user: the cookie's value and whose it is."""
    token = identity.sessions.open(identity.find_user(name).id, "192.0.2.1", "a browser")
    person = identity.sessions.resolve(token)
    assert person is not None
    return token, person


def log_in(
    identity: IdentityService, name: str, old_tokens: tuple[str, ...] = (), password: str = PASSWORD
) -> tuple[str, Person]:
    """As `browse`, by password and code as the login page does it."""
    form = digest(new_token())
    code = identity.log_in_with_password(name, password, form, "192.0.2.1")
    token = identity.begin_session(code, [form], old_tokens, "192.0.2.1", "a browser")
    person = identity.sessions.resolve(token)
    assert person is not None
    return token, person


@pytest.fixture
def identity(database: Database) -> IdentityService:
    return IdentityService(database, LIFETIME, stops_nothing)


@dataclass(frozen=True)
class Hub:
    """A hub in a process of its own; `identity` looks at the same database from this process."""

    url: str
    port: int
    database: Database
    identity: IdentityService
    log: Path

    def client(self) -> httpx.Client:
        """A browser's plain requests, from a page of the hub's own. It knows no cookie yet."""
        own = {"origin": self.url, "host": f"localhost:{self.port}", "sec-fetch-site": "same-origin"}
        return httpx.Client(base_url=f"http://127.0.0.1:{self.port}", headers=own)

    def log_in(self, name: str) -> str:
        """The cookie's value, come by as the login page does it."""
        with self.client() as client:
            form = cookie(client.get("/login"), "__Host-podium-form")
            code = self.identity.log_in_with_password(name, PASSWORD, digest(form), "")
            headers = {"cookie": f"__Host-podium-form={form}"}
            return cookie(client.post("/auth/session", data={"code": code}, headers=headers), "__Host-podium")


def cookie(answer: httpx.Response, name: str) -> str:
    """The value that an answer sets. Python's own jar keeps no Secure cookies of plain http, browsers do on loopback."""
    for header in answer.headers.get_list("set-cookie"):
        if header.startswith(f"{name}="):
            return header.partition("=")[2].partition(";")[0]
    raise AssertionError(f"no {name} in {answer.status_code} {answer.headers}")


@pytest.fixture(scope="session")
def hub(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    with served(tmp_path_factory.mktemp("hub"), sqlite_template) as one:
        yield one


@contextmanager
def served(folder: Path, template: Path, **settings: Any) -> Iterator[Hub]:
    """A hub with these settings, over a copy of the migrated `template`."""
    (folder / "podium.db").write_bytes(template.read_bytes())
    with served_on(folder, f"sqlite:///{folder / 'podium.db'}", **settings) as hub:
        yield hub


@contextmanager
def served_on(folder: Path, url: str, **settings: Any) -> Iterator[Hub]:
    """A hub with these settings, over that migrated database."""
    log = folder / "log"
    command = [sys.executable, "-m", "tests.identity.serve", str(folder), url, json.dumps(settings)]
    with log.open("wb") as errors, subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=errors) as process:
        leaks.keep(process.pid)
        assert process.stdout is not None
        port = int(process.stdout.readline() or 0)
        assert port, log.read_text("utf-8")
        eventually(lambda: answers(port), "the hub answers", 30)
        database = Database(url)
        yield Hub(f"http://localhost:{port}", port, database, IdentityService(database, LIFETIME, stops_nothing), log)
        database.close()
        process.terminate()


def answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/health").text == "ok\n"
    except httpx.TransportError:
        return False


@pytest.fixture(scope="module")
def tabs() -> Iterator[Browser]:
    """One browser for a module: while Playwright runs, no test of the same thread can run asyncio."""
    with chromium.launched() as browser:
        yield browser


@pytest.fixture
def page(tabs: Browser) -> Iterator[Page]:
    """A tab of somebody of whom the hub knows nothing yet."""
    with tabs.new_context() as context:
        yield context.new_page()

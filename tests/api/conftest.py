"""A hub in a process of its own, and people who call its API."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page

from hub.identity.api_tokens import ApiTokens
from hub.identity.roles import Role
from hub.identity.scopes import Caller
from tests.identity.conftest import Hub, browse, register, served

_ROLES = {"root": Role.ADMINISTRATOR, "olive": Role.AUDITOR, "ada": Role.USER, "bob": Role.USER}


@pytest.fixture(scope="module")
def hub(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    with served(tmp_path_factory.mktemp("hub"), sqlite_template, max_user_pods=50) as one:
        for name, role in _ROLES.items():
            register(one.identity, name, role, name.title())
        yield one


def token_of(hub: Hub, name: str, *scopes: str) -> str:
    """A token of that person's, with these scopes or with all that the person has."""
    person = browse(hub.identity, name)[1]
    caller = Caller.of(person)
    return ApiTokens(hub.database).create(caller, "test", scopes or sorted(caller.scopes), 1)[1]


def calling(hub: Hub, token: str | None) -> httpx.Client:
    """A program with that token, or with none."""
    shown = {"authorization": f"Bearer {token}"} if token else {}
    headers = {"host": f"localhost:{hub.port}", **shown}
    return httpx.Client(base_url=f"http://127.0.0.1:{hub.port}/api/v1", headers=headers, trust_env=False, timeout=30)


@pytest.fixture
def hub_of_its_own(sqlite_template: Path, tmp_path: Path) -> Iterator[Hub]:
    with served(tmp_path, sqlite_template) as one:
        register(one.identity, "ada")
        yield one


@pytest.fixture
def page(browsers: Browser) -> Iterator[Page]:
    """A tab in an empty browser."""
    context = browsers.new_context(viewport={"width": 1280, "height": 900}, locale="en-GB")
    yield context.new_page()
    context.close()

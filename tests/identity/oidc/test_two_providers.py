"""A whole login in a real browser at two independent providers, and out again."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from hub.identity.roles import Role
from tests.identity.conftest import Hub, eventually, register, served
from tests.providers.certified import CLIENT, SECRET, Certified, certified
from tests.providers.mock import mock

pytestmark = pytest.mark.browser
ACCOUNTS: dict[str, dict[str, Any]] = {
    "grace": {"groups": ["researchers"], "name": "Grace Hopper", "email": "grace@corp.example", "email_verified": True},
    "edsger": {"groups": ["operators"], "name": "Edsger Dijkstra"},
    "eve": {"groups": ["visitors"]},
}
PATIENCE = 20_000


@dataclass
class Place:
    """One hub with the buttons of two providers."""

    hub: Hub
    certified: Certified
    mock: str


@pytest.fixture(scope="module")
def place(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("providers")
    with certified() as university, mock() as mock_issuer:
        file = folder / "providers.toml"
        file.write_text(
            f'[[provider]]\nname = "university"\nlabel = "University"\nissuer = "{university.issuer}"\n'
            f'client_id = "{CLIENT}"\nclient_secret = "{SECRET}"\nscopes = "openid email profile groups"\n'
            'users_groups = ["researchers"]\nadmin_groups = ["operators"]\n'
        )
        settings = {
            "providers_file": str(file), "oidc_issuer_url": mock_issuer, "oidc_rp_client_id": "any", "oidc_label": "Mock",
            "oidc_rp_client_secret": "any", "allowed_email_domains": "corp.example",
        }  # fmt: skip
        with served(folder, sqlite_template, **settings) as hub:
            university.admit(hub.url, "university", ACCOUNTS)
            yield Place(hub, university, mock_issuer)


def log_in_at_the_university(place: Place, page: Page, account: str, onward: str = "/account") -> None:
    page.goto(f"{place.hub.url}{onward}")
    page.get_by_role("button", name="Login with University").click(timeout=PATIENCE)
    page.get_by_label("Account").fill(account, timeout=PATIENCE)
    page.get_by_role("button", name="Continue").click()


def at_account(page: Page, name: str) -> None:
    expect(page.get_by_role("heading", name="Account", exact=True)).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_text(name, exact=True).first).to_be_visible()


def test_a_member_of_the_group_logs_in_and_out_at_the_certified_provider(place: Place, page: Page) -> None:
    log_in_at_the_university(place, page, "grace")
    at_account(page, "Grace Hopper")
    assert place.hub.identity.find_user("grace").role is Role.USER
    page.get_by_role("button", name="Log out").click()
    page.get_by_role("button", name="Yes, log out").click(timeout=PATIENCE)
    expect(page).to_have_url(re.compile(re.escape(f"{place.hub.url}/login")), timeout=PATIENCE)
    page.get_by_role("button", name="Login with University").click(timeout=PATIENCE)
    expect(page.get_by_label("Account")).to_be_visible(timeout=PATIENCE)


def test_groups_make_an_administrator(place: Place, page: Page) -> None:
    log_in_at_the_university(place, page, "edsger")
    at_account(page, "Edsger Dijkstra")
    expect(page.get_by_role("link", name="Users")).to_be_visible()


def test_who_is_in_no_group_is_told_whom_to_ask(place: Place, page: Page) -> None:
    log_in_at_the_university(place, page, "eve")
    expect(page.get_by_text("you are not among those who may enter Podium")).to_be_visible(timeout=PATIENCE)
    assert "was not let in: not-admitted; the claim groups held: 'visitors'" in place.hub.log.read_text("utf-8")


def test_a_login_that_is_broken_off_says_so(place: Place, page: Page) -> None:
    log_in_at_the_university(place, page, "nobody")
    expect(page.get_by_text("The login was not completed at the provider")).to_be_visible(timeout=PATIENCE)


@pytest.mark.case("A7-18")
def test_a_logout_at_the_provider_ends_podiums_session_too(place: Place, tabs: Browser) -> None:
    with tabs.new_context() as context:
        page = context.new_page()
        log_in_at_the_university(place, page, "grace")
        at_account(page, "Grace Hopper")
        elsewhere = context.new_page()
        elsewhere.goto(f"{place.certified.issuer}/session/end")
        elsewhere.get_by_role("button", name="Yes, log out").click(timeout=PATIENCE)
        expect(elsewhere.get_by_role("button", name="Yes, log out")).to_have_count(0, timeout=PATIENCE)
        user = place.hub.identity.find_user("grace")
        eventually(lambda: not place.hub.identity.sessions.of_user(user.id), "the session ends", 20)
        expect(page.get_by_role("heading", name="Log in")).to_be_visible(timeout=PATIENCE)


def test_a_verified_address_logs_in_at_the_other_provider(place: Place, page: Page) -> None:
    at_the_mock(place, page, "ada", {"email": "ada@corp.example", "email_verified": True, "name": "Ada Lovelace"})
    at_account(page, "Ada Lovelace")


def test_an_address_of_another_domain_does_not(place: Place, page: Page) -> None:
    at_the_mock(place, page, "mallory", {"email": "mallory@evilcorp.example", "email_verified": True})
    expect(page.get_by_text("you are not among those who may enter Podium")).to_be_visible(timeout=PATIENCE)


def at_the_mock(place: Place, page: Page, subject: str, claims: dict[str, object]) -> None:
    page.request.put(f"{place.mock}/users/{subject}", data=claims)
    page.goto(f"{place.hub.url}/account")
    page.get_by_role("button", name="Login with Mock").click(timeout=PATIENCE)
    page.get_by_placeholder("sub").fill(subject, timeout=PATIENCE)
    page.get_by_role("button", name="Authorize").click()


def test_a_person_links_a_second_login_and_comes_in_by_it(place: Place, page: Page) -> None:
    register(place.hub.identity, "linker", display_name="Linda Linker")
    page.request.put(f"{place.mock}/users/linda", data={"email": "linda@corp.example", "email_verified": True})
    page.goto(f"{place.hub.url}/account")
    page.get_by_role("textbox", name="User name").fill("linker")
    page.get_by_label("Password", exact=True).fill("seven quiet herons at dawn")
    page.get_by_role("button", name="Log in", exact=True).click()
    at_account(page, "Linda Linker")
    page.get_by_role("button", name="Link Mock").click()
    page.get_by_placeholder("sub").fill("linda", timeout=PATIENCE)
    page.get_by_role("button", name="Authorize").click()
    at_account(page, "Linda Linker")
    page.get_by_role("button", name="Log out").click()
    page.get_by_role("button", name="Login with Mock").click(timeout=PATIENCE)
    page.get_by_placeholder("sub").fill("linda", timeout=PATIENCE)
    page.get_by_role("button", name="Authorize", exact=True).click()
    page.goto(f"{place.hub.url}/account")
    at_account(page, "Linda Linker")

"""Tokens on the Account page, and the API's own pages, in a real browser."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.api.conftest import calling
from tests.browser.looking import look
from tests.browser.people import put_in
from tests.identity.conftest import Hub

pytestmark = pytest.mark.browser
PATIENCE = 30_000


def log_in(hub: Hub, page: Page, name: str) -> None:
    put_in(page.context, hub.url, "__Host-podium", hub.log_in(name))


def test_a_token_is_made_shown_once_used_and_revoked(hub: Hub, page: Page) -> None:
    log_in(hub, page, "ada")
    page.goto(f"{hub.url}/account")
    page.get_by_role("button", name="New token").click(timeout=PATIENCE)
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("What it is for").fill("nightly run")
    dialog.get_by_label("What it is for").press("Tab")
    look(page, "new-token-dialog")
    dialog.get_by_role("button", name="Make token").click()
    secret = page.locator("code").filter(has_text="podium_").inner_text(timeout=PATIENCE).strip()
    expect(page.get_by_text("not used yet · ends")).to_be_visible()
    look(page, "account-token-made")
    with calling(hub, secret) as program:
        assert program.get("/me").json()["scopes"] == ["environments:read"]
        page.get_by_role("button", name="I have copied it").click()
        expect(page.get_by_text(secret)).to_have_count(0)
        page.get_by_role("button", name="Revoke").click()
        expect(page.get_by_text("The token opens nothing any more")).to_be_visible()
        assert program.get("/me").status_code == 401


def test_swagger_ui_shows_and_tries_the_api_without_anything_from_elsewhere(hub: Hub, page: Page) -> None:
    problems: list[str] = []
    elsewhere: list[str] = []
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.on("request", lambda request: elsewhere.append(request.url) if not request.url.startswith(hub.url) else None)
    log_in(hub, page, "ada")
    page.goto(f"{hub.url}/docs")
    operation = page.locator("#operations-me-read_me")
    operation.get_by_role("button").first.click(timeout=PATIENCE)
    operation.get_by_role("button", name="Try it out").click()
    operation.get_by_role("button", name="Execute").click()
    expect(operation.locator(".live-responses-table")).to_contain_text(re.compile('"name": "ada"'), timeout=PATIENCE)
    assert [url for url in elsewhere if not url.startswith("data:")] == []
    assert problems == []

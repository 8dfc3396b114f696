"""Administrators see everybody's environments and stop any of them, manage people, and read what was done."""

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.looking import look
from tests.browser.people import Person, fill_login, person, shot

pytestmark = pytest.mark.browser


def choose_first(page: Page) -> None:
    """Mark the first row of the table, which is drawn on a canvas."""
    table = page.locator("[data-testid=stDataFrame] canvas").first
    table.click(position={"x": 17, "y": 52}, force=True)


def test_an_administrator_sees_and_stops_somebody_s_environment(ada: Person, bob: Person) -> None:
    bob.launch("Bob's trial", "Standard")
    bob.address("Bob's trial")
    page = ada.visit(f"{ada.url}/everyone")
    cells = page.locator("[data-testid=stDataFrame] canvas td")
    for words in ("Bob", "Bob's trial", "Running", "Standard"):
        expect(cells.get_by_text(words, exact=True)).to_have_count(1)
    choose_first(page)
    expect(page.get_by_text("environment launched")).to_be_visible()
    shot(page, "everyone-chosen")
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("Nothing runs at the moment")).to_be_visible()
    expect(bob.card("Bob's trial")).to_contain_text("Stopped for")
    page.get_by_text("Only those that are queued, starting or running").click()
    expect(cells.get_by_text("Stopped", exact=True)).to_have_count(1)
    choose_first(page)
    expect(page.get_by_text("environment stopped")).to_contain_text("Ada Lovelace")
    shot(page, "everyone-story")


def test_nobody_else_sees_or_stops_them(ada: Person, bob: Person) -> None:
    ada.launch("Ada's own")
    ada.address("Ada's own")
    page = bob.visit(f"{bob.url}/everyone")
    expect(page.get_by_role("dialog", name="Page not found")).to_be_visible()
    expect(page.get_by_role("link", name="All environments")).to_have_count(0)
    expect(page.get_by_text("Ada's own")).to_have_count(0)
    expect(bob.card("Ada's own")).to_have_count(0)


def test_an_administrator_adds_somebody_who_logs_in_and_is_disabled(ada: Person, browsers: Browser) -> None:
    page = ada.visit(f"{ada.url}/users")
    page.get_by_role("button", name="Add user").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("User name").fill("emmy")
    dialog.get_by_label("Full name").fill("Emmy Noether")
    dialog.get_by_label("Full name").press("Tab")
    look(page, "add-user-dialog")
    dialog.get_by_role("button", name="Add user").click()
    link = page.locator("code").filter(has_text="set-password?link=").inner_text()
    with person(browsers, ada.url) as emmy:
        emmy.sign_up(link, "emmy")
        page.goto(f"{ada.url}/users?users.q=Noether")
        expect(page.get_by_text("1 person")).to_be_visible()
        choose_first(page)
        expect(page.get_by_text("emmy · user · active")).to_be_visible()
        look(page, "users-chosen")
        page.get_by_role("button", name="Disable").click()
        expect(page.get_by_text("Emmy Noether is disabled")).to_be_visible()
        expect(emmy.hub.get_by_role("heading", name="Log in")).to_be_visible()
        fill_login(emmy.hub, "emmy")
        expect(emmy.hub.get_by_text("This account is disabled")).to_be_visible()


def test_everything_is_in_the_audit_and_goes_into_a_file(ada: Person, bob: Person) -> None:
    page = ada.visit(f"{ada.url}/audit?audit.actor=Lovelace")
    expect(page.get_by_text("event").first).to_be_visible()
    with page.expect_download() as downloading:
        page.get_by_role("link", name="Export CSV").click()
    lines = downloading.value.path().read_text("utf-8").splitlines()
    assert lines[0] == "at,actor,act,subject,address,detail"
    assert any(",Ada Lovelace,login," in line and "127.0.0.1" in line for line in lines[1:])
    assert all(",Ada Lovelace," in line for line in lines[1:])
    bob.hub.goto(f"{bob.url}/audit")
    expect(bob.hub.get_by_role("dialog", name="Page not found")).to_be_visible()

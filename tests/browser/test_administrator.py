"""An administrator sees everybody's environments and may stop any of them; the act is told where it was done."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.people import Person, shot

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

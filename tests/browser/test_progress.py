"""A start that halts at checkpoint k: the page and the door show k and not k+1, and Cancel ends it."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.people import person, shot
from tests.identity.conftest import Hub, register, served
from tests.support.memory_spawner import MemorySpawner

pytestmark = pytest.mark.browser
NAMES = [name.capitalize() for name in MemorySpawner.checkpoints]


@pytest.fixture(params=range(len(NAMES)))
def halting(request: pytest.FixtureRequest, sqlite_template: Path, tmp_path: Path) -> Iterator[tuple[Hub, int]]:
    """A hub whose spawner goes no further than that many checkpoints."""
    with served(tmp_path, sqlite_template, halts_at=request.param) as hub:
        register(hub.identity, "ada", display_name="Ada Lovelace")
        yield hub, request.param


def shows(card: Locator, reached: int) -> None:
    """So many are done, the next one is under way, the others are to come."""
    for number, name in enumerate(NAMES):
        line = card.locator("p").filter(has_text=re.compile(name))
        expect(line).to_have_count(1)
        done, present = re.compile(r" after [\d.]+ s"), re.compile(" … ")
        for words, seen in ((done, number < reached), (present, number == reached)):
            (expect(line).to_contain_text if seen else expect(line).not_to_contain_text)(words)


def test_a_halted_start_shows_what_is_reached_and_can_be_cancelled(halting: tuple[Hub, int], browser: Browser) -> None:
    hub, reached = halting
    with person(browser, hub.url) as ada:
        ada.log_in("ada", "seven quiet herons at dawn")
        ada.at_environments()
        ada.launch("Halted")
        expect(ada.card("Halted")).to_contain_text("Starting")
        shows(ada.card("Halted"), reached)
        shot(ada.hub, f"environments-halted-{reached}")
        door = ada.visit(_address(hub))
        _door_shows(door, reached)
        ada.card("Halted").get_by_role("button", name="Cancel").click()
        expect(ada.card("Halted")).to_contain_text("Stopped for")
        expect(ada.card("Halted").get_by_role("button", name="Cancel")).to_have_count(0)
        expect(door.get_by_role("heading", name="Halted is stopped")).to_be_visible()


def _address(hub: Hub) -> str:
    with hub.database.engine.connect() as connection:
        slug = connection.exec_driver_sql("SELECT slug FROM environment").scalar_one()
    return f"http://{slug}.localhost:{hub.port}/"


def _door_shows(door: Page, reached: int) -> None:
    expect(door.get_by_role("heading", name="Halted is starting")).to_be_visible()
    steps = door.get_by_role("listitem")
    expect(steps).to_have_count(len(NAMES))
    for number in range(len(NAMES)):
        clock = steps.nth(number).get_by_text(re.compile(r"\d\d:\d\d:\d\d"))
        expect(clock).to_have_count(1 if number < reached else 0)

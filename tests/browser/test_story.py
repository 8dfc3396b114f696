"""The main job, as a person does it: log in, launch, upload, explore, stop, launch again, and the file is there."""

from importlib.resources import files
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Place
from tests.browser.people import PATIENCE, person, shot, upload

pytestmark = pytest.mark.browser

LARGE = 200 * 10**6


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A real table that a package carries: the weather of Seattle, day by day."""
    source = files("vega_datasets") / "_data" / "seattle-weather.csv"
    target = tmp_path / "seattle-weather.csv"
    target.write_bytes(source.read_bytes())
    return target


@pytest.fixture
def large_table(tmp_path: Path) -> Path:
    """200 MB of measurements."""
    target = tmp_path / "measurements.csv"
    block = "".join(f"{number},{number % 97},{number * 0.37:.3f},station {number % 13}\n" for number in range(20_000)).encode()
    with target.open("wb") as stream:
        stream.write(b"number,group,value,station\n")
        while stream.tell() < LARGE:
            stream.write(block)
    return target


def test_a_person_logs_in_launches_uploads_explores_stops_and_finds_the_files_again(
    browser: Browser, place: Place, table: Path, large_table: Path
) -> None:
    with person(browser, place.url) as ada:
        ada.sign_up(place.link, "ada", "Ada Lovelace")
        shot(ada.hub, "environments-empty")
        ada.launch("Weather")
        tab = ada.open("Weather")
        shot(ada.hub, "environments-running")
        expect(tab.get_by_text("Ada Lovelace")).to_be_visible()
        upload(tab, table)
        upload(tab, large_table)
        shot(tab, "environment-files")
        explore(tab, table.name, "1,461 rows")
        shot(tab, "environment-explore")
        explore(tab, large_table.name, "rows")
        ada.stop("Weather")
        expect(tab.get_by_role("heading", name="stopped")).to_be_visible(timeout=PATIENCE)
        shot(tab, "environment-stopped")
        ada.relaunch("Weather")
        again = ada.open("Weather")
        again.get_by_role("link", name="Files").click()
        expect(again.get_by_text("2 files · 200 MB")).to_be_visible()
        explore(again, table.name, "1,461 rows")


def explore(tab: Page, name: str, words: str) -> None:
    """Choose a file in the data explorer; its rows are shown."""
    tab.get_by_role("link", name="Explore data").click()
    box = tab.get_by_role("combobox", name="File")
    box.click()
    tab.get_by_role("option", name=name).click()
    expect(tab.get_by_text(words).first).to_be_visible(timeout=4 * PATIENCE)

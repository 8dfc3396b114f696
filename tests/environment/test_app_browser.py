"""The research app in a real browser, through a proxy that adds assertions: upload, look, explore, delete."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.environment.front import front
from tests.environment.running import APP, Environment, environment
from tests.support.chromium import launched

pytestmark = pytest.mark.browser

PATIENCE = 30_000


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Environment]:
    with environment(tmp_path_factory.mktemp("browsed"), APP) as started:
        yield started


@pytest.fixture(scope="module")
def address(running: Environment) -> Iterator[str]:
    with front(running) as url:
        yield url


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launched() as one:
        yield one


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    opened = context.new_page()
    opened.set_default_timeout(PATIENCE)
    yield opened
    context.close()


def test_a_file_is_uploaded_explored_and_deleted(page: Page, address: str, running: Environment, tmp_path: Path) -> None:
    (tmp_path / "cities.csv").write_text("city,people\nUmeå,130000\nVaasa,68000\n")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{address}/files")
    expect(page.get_by_text("Zoë 张 🌱")).to_be_visible(timeout=PATIENCE)
    assert page.evaluate("window.podiumTab")
    page.get_by_role("button", name="Upload files").click()
    page.locator("input[type=file]").set_input_files(tmp_path / "cities.csv")
    expect(page.get_by_text("cities.csv")).to_be_visible(timeout=PATIENCE)
    page.get_by_role("button", name="Upload", exact=True).click()
    expect(page.get_by_text("1 file lies in your workspace now")).to_be_visible(timeout=PATIENCE)
    assert (running.workspace / "cities.csv").read_bytes() == (tmp_path / "cities.csv").read_bytes()

    page.goto(f"{address}/explore?file=cities.csv")
    expect(page.get_by_text("2 rows of 2 · 2 columns")).to_be_visible(timeout=PATIENCE)
    page.get_by_text("Chart", exact=True).click()
    expect(page.get_by_text("How people is spread")).to_be_visible(timeout=PATIENCE)

    page.goto(f"{address}/files")
    table = page.locator("[data-testid=stDataFrame] canvas").first
    expect(table).to_be_visible(timeout=PATIENCE)
    table.click(position={"x": 17, "y": 52}, force=True)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download", exact=True).last.click()
    assert Path(download.value.path()).read_bytes() == (tmp_path / "cities.csv").read_bytes()
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Delete for good").click()
    expect(page.get_by_text("This folder is empty")).to_be_visible(timeout=PATIENCE)
    assert not (running.workspace / "cities.csv").exists()
    assert [url for url in asked if not url.startswith((address, "data:", "blob:"))] == []


@pytest.mark.parametrize("path", ["/", "/files", "/explore"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_fit_a_narrow_screen_in_both_themes(browser: Browser, address: str, path: str, scheme: str) -> None:
    context = browser.new_context(viewport={"width": 420, "height": 850}, color_scheme="dark" if scheme == "dark" else "light")
    page = context.new_page()
    page.goto(f"{address}{path}")
    expect(page.locator("h1")).to_be_visible(timeout=PATIENCE)
    background = page.locator("[data-testid=stApp]").evaluate("node => getComputedStyle(node).backgroundColor")
    assert background == ("rgb(16, 20, 31)" if scheme == "dark" else "rgb(251, 252, 254)")
    assert page.evaluate("document.documentElement.scrollWidth") <= 420
    context.close()

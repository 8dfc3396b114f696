"""Every page in both themes: nothing for axe-core to complain of, no sideways scrolling on a narrow screen, and a picture."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager

import psutil
import pytest
from playwright.sync_api import Browser, Page, expect
from sqlmodel import col, select

from hub.clock import new_id
from hub.database import Database
from hub.environments.model import Environment
from hub.workspaces.model import Workspace
from tests.browser.axe import violations
from tests.browser.people import SHOTS, Person, person, upload
from tests.support.podium import ROOT, Podium

pytestmark = pytest.mark.browser

THEMES = ("light", "dark")
NARROW = {"width": 420, "height": 850}
WIDE = {"width": 1280, "height": 900}


@pytest.fixture(scope="module", params=THEMES)
def theme(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def furnished(ada: Person, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """One environment that runs and one that is stopped, with a file; their addresses by name."""
    table = tmp_path_factory.mktemp("table") / "harvest.csv"
    table.write_text("plot,kilograms\n" + "".join(f"{number % 7},{number * 1.5}\n" for number in range(500)))
    ada.launch("Soil samples")
    addresses = {"Soil samples": ada.address("Soil samples")}
    ada.stop("Soil samples")
    ada.launch("Harvest 2026", "Standard")
    addresses["Harvest 2026"] = ada.address("Harvest 2026")
    upload(ada.open("Harvest 2026"), table)
    return addresses


@pytest.fixture(scope="module")
def looker(house: Podium, furnished: dict[str, str], browsers: Browser, theme: str) -> Iterator[Person]:
    """Ada again, with a browser of this theme."""
    with person(browsers, house.url, dark=theme == "dark") as somebody:
        somebody.log_in("ada")
        somebody.at_environments()
        assert furnished
        yield somebody


def look(page: Page, name: str, theme: str) -> None:
    """Keep pictures of it wide and narrow; it fits, and axe-core finds nothing."""
    settled(page)
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / f"{name}-{theme}.png")
    found = violations(page)
    page.set_viewport_size(NARROW)  # type: ignore[arg-type]
    settled(page)
    page.screenshot(path=SHOTS / f"{name}-{theme}-narrow.png", full_page=True)
    width = page.evaluate("document.scrollingElement.scrollWidth")
    page.set_viewport_size(WIDE)  # type: ignore[arg-type]
    assert not found, "\n".join(found)
    assert width <= NARROW["width"]


def settled(page: Page) -> None:
    """Nothing is being drawn any more, and nothing moves."""
    expect(page.locator("[data-stale=true], [data-testid=stSkeleton]")).to_have_count(0)
    page.wait_for_function(
        "document.getAnimations().every((one) => one.playState !== 'running' || one.effect.getTiming().iterations === Infinity)"
    )


@pytest.mark.parametrize("path", ["login", "login?again=out", "login?again=late", "set-password?link=gone"])
def test_pages_of_strangers(house: Podium, browsers: Browser, theme: str, path: str) -> None:
    with person(browsers, house.url, dark=theme == "dark") as stranger:
        stranger.hub.goto(f"{house.url}/{path}")
        expect(stranger.hub.get_by_role("heading").first).to_be_visible()
        look(stranger.hub, path.replace("?", "-").replace("=", "-"), theme)


def test_a_new_person_s_empty_pages(house: Podium, browsers: Browser, theme: str) -> None:
    name = f"cleo-{theme}"
    link = house.add_user(name, "--display-name", "Cleo de Mérode")
    with person(browsers, house.url, dark=theme == "dark") as cleo:
        cleo.hub.goto(link)
        expect(cleo.hub.get_by_role("button", name="Set password")).to_be_visible()
        look(cleo.hub, "set-password", theme)
        cleo.sign_up(link, name)
        look(cleo.hub, "environments-empty", theme)
        cleo.hub.get_by_role("button", name="Launch environment").click()
        expect(cleo.hub.get_by_role("dialog").get_by_label("Name")).to_be_visible()
        look(cleo.hub, "launch-dialog", theme)
        cleo.hub.goto(f"{house.url}/workspaces")
        expect(cleo.hub.get_by_text("You have no workspace yet")).to_be_visible()
        look(cleo.hub, "workspaces-empty", theme)


@pytest.mark.parametrize(
    ("path", "heading"),
    [("", "Environments"), ("workspaces", "Workspaces"), ("account", "Account"), ("everyone", "All environments")],
)
def test_pages_with_things_on_them(looker: Person, theme: str, path: str, heading: str) -> None:
    looker.hub.goto(f"{looker.url}/{path}")
    expect(looker.hub.get_by_role("heading", name=heading, exact=True)).to_be_visible()
    if not path:
        looker.address("Harvest 2026")
    look(looker.hub, f"{path or 'environments'}-full", theme)
    if not path and theme == "light":
        picture = ROOT / "docs" / "images" / "environments.png"
        picture.parent.mkdir(exist_ok=True)
        shutil.copyfile(SHOTS / "environments-full-light.png", picture)


@pytest.mark.parametrize(("path", "heading"), [("", "Overview"), ("files", "Files"), ("explore", "Explore data")])
def test_pages_of_an_environment(looker: Person, furnished: dict[str, str], theme: str, path: str, heading: str) -> None:
    tab = looker.visit(furnished["Harvest 2026"] + path)
    expect(tab.get_by_role("heading", name=heading)).to_be_visible()
    look(tab, f"environment-{path or 'overview'}", theme)
    tab.close()


def test_doors(looker: Person, furnished: dict[str, str], theme: str) -> None:
    stopped = looker.visit(furnished["Soil samples"])
    expect(stopped.get_by_role("heading", name="Soil samples is stopped")).to_be_visible()
    look(stopped, "door-stopped", theme)
    stopped.goto(furnished["Soil samples"].replace("soil-samples", "no-samples"))
    expect(stopped.get_by_role("heading", name="There is no such environment")).to_be_visible()
    look(stopped, "door-unknown", theme)
    stopped.close()


def test_two_hundred_of_everything(house: Podium, browsers: Browser, theme: str) -> None:
    name = f"dora-{theme}"
    link = house.add_user(name, "--display-name", "Dora")
    with person(browsers, house.url, dark=theme == "dark") as dora:
        dora.sign_up(link, name)
        dora.launch("Field notes")
        dora.cancel_or_stop("Field notes")
        multiply(house, 200)
        for path in ("", "workspaces"):
            dora.hub.goto(f"{house.url}/{path}")
            expect(dora.hub.locator("[data-testid=stPagination]")).to_be_visible()
            look(dora.hub, f"{path or 'environments'}-many", theme)


def multiply(house: Podium, times: int) -> None:
    """Copies of the stopped environment that was made last, and of its workspace."""
    database = Database(f"sqlite:///{house.folder}/data/podium.db")
    with database.writing("copies") as session:
        last = session.exec(select(Environment).order_by(col(Environment.phase_since).desc())).first()
        assert last is not None
        space = session.get_one(Workspace, last.workspace_id)
        for number in range(times):
            copy = Workspace(**{**space.model_dump(), "id": new_id(), "name": f"Field notes of day {number}"})
            session.add(copy)
            session.flush()
            changed = {"id": new_id(), "slug": new_id()[:12], "name": f"Field day {number}", "workspace_id": copy.id}
            session.add(Environment(**{**last.model_dump(), **changed}))
    database.close()


def test_what_pages_say_while_the_agent_is_silent(house: Podium, looker: Person, theme: str) -> None:
    agent = agent_of(house)
    looker.hub.goto(looker.url)
    looker.address("Harvest 2026")
    agent.suspend()
    try:
        looker.card("Harvest 2026").get_by_role("button", name="More").click()
        looker.hub.get_by_role("menuitem", name="Show log").click()
        expect(looker.hub.get_by_role("dialog").get_by_role("alert")).to_be_visible()
        look(looker.hub, "log-silent", theme)
    finally:
        agent.resume()


def agent_of(house: Podium) -> psutil.Process:
    told = f"--data={house.folder / 'data'}"
    found = psutil.process_iter(["cmdline"])
    return next(one for one in found if "hub.spawners.local.agent" in one.cmdline() and told in one.cmdline())


def test_what_pages_say_while_the_database_is_silent(house: Podium, looker: Person, theme: str) -> None:
    for table, path in (("environment", ""), ("workspace", "workspaces"), ("environment", "everyone")):
        with away(house, table):
            looker.hub.goto(f"{looker.url}/{path}")
            expect(looker.hub.get_by_text("This cannot be shown now")).to_be_visible()
            look(looker.hub, f"{path or 'environments'}-failing", theme)
    looker.hub.get_by_role("button", name="Try again").click()
    expect(looker.hub.get_by_text("This cannot be shown now")).to_have_count(0)


@contextmanager
def away(house: Podium, table: str) -> Iterator[None]:
    """A table that cannot be read for a while."""
    path = house.folder / "data" / "podium.db"
    try:
        with closing(sqlite3.connect(path, timeout=30)) as database:
            database.execute("PRAGMA legacy_alter_table=ON")
            database.execute(f"ALTER TABLE {table} RENAME TO away")
        yield
    finally:
        with closing(sqlite3.connect(path, timeout=30)) as database:
            database.execute("PRAGMA legacy_alter_table=ON")
            database.execute(f"ALTER TABLE away RENAME TO {table}")

"""Every page in both themes: nothing for axe-core to complain of, no sideways scrolling on a narrow screen, and a picture."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Browser, Page, expect
from sqlmodel import col, select

from hub.clock import new_id
from hub.database import Database
from hub.environments.model import Environment
from hub.workspaces.model import Workspace
from tests.browser.looking import look, picture
from tests.browser.outside import servers
from tests.browser.people import Person, fill_login, person, upload
from tests.support.podium import Podium

pytestmark = pytest.mark.browser


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


def test_the_first_administrator_s_page(podium: Podium, browser: Browser) -> None:
    with person(browser, podium.url) as first:
        first.hub.goto(podium.link or "")
        expect(first.hub.get_by_label("User name")).to_be_visible()
        look(first.hub, "welcome")
        first.sign_up(podium.link or "", "ada", "Ada Lovelace")
        first.hub.goto(f"{podium.url}/everyone")
        expect(first.hub.get_by_text("Nothing runs at the moment")).to_be_visible()
        look(first.hub, "everyone-empty")
        first.hub.goto(f"{podium.url}/volumes")
        expect(first.hub.get_by_text("Nobody has a workspace yet")).to_be_visible()
        first.hub.get_by_role("button", name="Look for them").click()
        expect(first.hub.get_by_text("There are none.")).to_be_visible()
        look(first.hub, "volumes-empty")
        first.hub.goto(f"{podium.url}/audit?audit.act=login")
        expect(first.hub.get_by_text("1 event")).to_be_visible()
        first.hub.goto(f"{podium.url}/users?users.state=pending")
        expect(first.hub.get_by_text("Nobody is like that")).to_be_visible()
        look(first.hub, "users-empty")
        first.hub.goto(f"{podium.url}/audit?audit.actor=nobody")
        expect(first.hub.get_by_text("Nothing like that has happened")).to_be_visible()
        look(first.hub, "audit-empty")


@pytest.mark.parametrize("path", ["login", "login?again=out", "login?again=late", "set-password?link=gone"])
def test_pages_of_strangers(house: Podium, browsers: Browser, path: str) -> None:
    with person(browsers, house.url) as stranger:
        stranger.hub.goto(f"{house.url}/{path}")
        expect(stranger.hub.get_by_role("heading").first).to_be_visible()
        look(stranger.hub, path.replace("?", "-").replace("=", "-"))


def test_a_new_person_s_empty_pages(house: Podium, browsers: Browser) -> None:
    name = "cleo"
    link = house.add_user(name, "Cleo de Mérode")
    with person(browsers, house.url) as cleo:
        cleo.hub.goto(link)
        expect(cleo.hub.get_by_role("button", name="Set password")).to_be_visible()
        look(cleo.hub, "set-password")
        cleo.sign_up(link, name)
        look(cleo.hub, "environments-empty")
        cleo.hub.get_by_role("button", name="Launch environment").click()
        expect(cleo.hub.get_by_role("dialog").get_by_label("Name")).to_be_visible()
        look(cleo.hub, "launch-dialog")
        cleo.hub.goto(f"{house.url}/workspaces")
        expect(cleo.hub.get_by_text("You have no workspace yet")).to_be_visible()
        look(cleo.hub, "workspaces-empty")


@pytest.mark.usefixtures("furnished")
@pytest.mark.parametrize(
    ("path", "heading"),
    [
        ("", "Environments"),
        ("workspaces", "Workspaces"),
        ("account", "Account"),
        ("clusters", "Clusters"),
        ("everyone", "All environments"),
        ("volumes", "All workspaces"),
        ("users", "Users"),
        ("audit", "Audit"),
    ],
)
def test_pages_with_things_on_them(ada: Person, path: str, heading: str) -> None:
    ada.hub.goto(f"{ada.url}/{path}")
    expect(ada.hub.get_by_role("heading", name=heading, exact=True)).to_be_visible()
    if not path:
        ada.address("Harvest 2026")
    if path in {"everyone", "volumes", "users", "audit"}:
        expect(ada.hub.locator("[data-testid=stDataFrame] canvas").first).to_be_visible()
    look(ada.hub, f"{path or 'environments'}-full")


@pytest.mark.parametrize(("path", "heading"), [("", "Overview"), ("files", "Files"), ("explore", "Explore data")])
def test_pages_of_an_environment(ada: Person, furnished: dict[str, str], path: str, heading: str) -> None:
    tab = ada.visit(furnished["Harvest 2026"] + path)
    expect(tab.get_by_role("heading", name=heading)).to_be_visible()
    look(tab, f"environment-{path or 'overview'}")
    tab.close()


@pytest.mark.usefixtures("furnished")
def test_a_card_says_why_its_environment_was_started_again(house: Podium, ada: Person) -> None:
    why = "It was lost: The node was low on resource: memory. Your files are safe. It was started again by itself."
    with closing(sqlite3.connect(house.folder / "data" / "podium.db")) as database, database:
        database.execute("UPDATE environment SET reason = ? WHERE name = 'Harvest 2026'", (why,))
    ada.hub.goto(ada.url)
    expect(ada.card("Harvest 2026")).to_contain_text(why)
    look(ada.hub, "environments-taken")


def test_doors(ada: Person, furnished: dict[str, str]) -> None:
    stopped = ada.visit(furnished["Soil samples"])
    expect(stopped.get_by_role("heading", name="Soil samples is stopped")).to_be_visible()
    look(stopped, "door-stopped")
    stopped.goto(furnished["Soil samples"].replace("soil-samples", "no-samples"))
    expect(stopped.get_by_role("heading", name="There is no such environment")).to_be_visible()
    look(stopped, "door-unknown")
    stopped.close()


def test_two_hundred_of_everything(house: Podium, ada: Person, browsers: Browser) -> None:
    name = "dora"
    link = house.add_user(name, "Dora")
    with person(browsers, house.url) as dora:
        dora.sign_up(link, name)
        dora.launch("Field notes")
        dora.cancel_or_stop("Field notes")
        multiply(house, 200)
        for somebody, path in ((dora, ""), (dora, "workspaces"), (ada, "everyone?everyone.live=false"), (ada, "volumes")):
            somebody.hub.goto(f"{house.url}/{path}")
            expect(somebody.hub.locator("[data-testid=stPagination]")).to_be_visible()
            look(somebody.hub, f"{path.partition('?')[0] or 'environments'}-many")


def multiply(house: Podium, times: int) -> None:
    """Copies of the stopped environment that was made last, and of its workspace."""
    database = Database(f"sqlite:///{house.folder}/data/podium.db")
    with database.writing("copies") as session:
        last = session.exec(select(Environment).order_by(col(Environment.phase_since).desc())).first()
        assert last is not None
        space = session.get_one(Workspace, last.workspace_id)
        for number in range(times):
            held = {"size": 10**9 * (number % 11), "capacity": 10**10 if number % 3 else None}
            copy = Workspace(**{**space.model_dump(), **held, "id": new_id(), "name": f"Field notes of day {number}"})
            session.add(copy)
            session.flush()
            changed = {"id": new_id(), "slug": new_id()[:12], "name": f"Field day {number}", "workspace_id": copy.id}
            session.add(Environment(**{**last.model_dump(), **changed}))
    database.close()


def test_what_pages_say_while_the_agent_is_silent(house: Podium, ada: Person, furnished: dict[str, str]) -> None:
    agent = agent_of(house)
    ada.hub.goto(ada.url)
    ada.address("Harvest 2026")
    agent.suspend()
    try:
        ada.card("Harvest 2026").get_by_role("button", name="More").click()
        ada.hub.get_by_role("menuitem", name="Show log").click()
        expect(ada.hub.get_by_role("dialog").get_by_role("alert")).to_be_visible()
        look(ada.hub, "log-silent")
        ada.hub.get_by_role("dialog").get_by_role("button", name="Close").click()
        ada.relaunch("Soil samples")
        expect(ada.card("Soil samples")).to_contain_text("Starting")
        look(ada.hub, "environments-starting")
        tab = ada.visit(furnished["Soil samples"])
        expect(tab.get_by_role("heading", name="Soil samples is starting")).to_be_visible()
        look(tab, "door-starting")
    finally:
        agent.resume()
    expect(tab.get_by_role("heading", name="Overview")).to_be_visible()
    [server] = servers(house.folder / "data", "Soil samples")
    server.kill()
    expect(tab.get_by_role("heading", name="Soil samples has failed")).to_be_visible()
    look(tab, "door-failed")
    tab.close()
    ada.hub.goto(ada.url)
    expect(ada.card("Soil samples")).to_contain_text("Failed")
    look(ada.hub, "environments-failed")


def agent_of(house: Podium) -> psutil.Process:
    told = f"--data={house.folder / 'data'}"
    found = psutil.process_iter(["cmdline"])
    return next(one for one in found if "hub.spawners.local.agent" in one.cmdline() and told in one.cmdline())


def test_what_pages_say_while_the_database_is_silent(house: Podium, ada: Person) -> None:
    silent = (
        ("environment", ""),
        ("workspace", "workspaces"),
        ("environment", "everyone"),
        ("workspace", "volumes"),
        ("login", "users"),
        ("event", "audit"),
    )
    for table, path in silent:
        with away(house, table):
            ada.hub.goto(f"{ada.url}/{path}")
            expect(ada.hub.get_by_text("This cannot be shown now")).to_be_visible()
            look(ada.hub, f"{path or 'environments'}-failing")
    ada.hub.get_by_role("button", name="Try again").click()
    expect(ada.hub.get_by_text("This cannot be shown now")).to_have_count(0)


def test_what_strangers_read_while_the_database_is_silent(house: Podium, browsers: Browser) -> None:
    with person(browsers, house.url) as stranger:
        stranger.log_in("nobody-at-all")
        expect(stranger.hub.get_by_text("The name or the password is wrong")).to_be_visible()
        with away(house, "login"):
            fill_login(stranger.hub, "ada")
            expect(stranger.hub.get_by_text("The database does not answer")).to_be_visible()
            look(stranger.hub, "login-failing")
        with away(house, "one_time_code"):
            stranger.hub.goto(f"{house.url}/set-password?link=some-link")
            expect(stranger.hub.get_by_text("The database does not answer")).to_be_visible()
            look(stranger.hub, "set-password-failing")


@pytest.mark.parametrize("path", ["login", "set-password?link=gone"])
def test_a_stranger_s_page_that_is_still_loading_is_a_grey_outline(house: Podium, browsers: Browser, path: str) -> None:
    with person(browsers, house.url) as stranger:
        outline(stranger.hub, f"{house.url}/{path}", f"{path.partition('?')[0]}-loading")


@pytest.mark.parametrize("path", ["", "files", "explore"])
def test_an_environment_s_pages_while_they_load_and_while_they_are_empty(
    ada: Person, furnished: dict[str, str], path: str
) -> None:
    ada.hub.goto(ada.url)
    if "Empty" not in furnished:
        ada.launch("Empty")
        furnished["Empty"] = ada.address("Empty")
    name = f"environment-{path or 'overview'}"
    tab = ada.visit(furnished["Empty"] + path)
    expect(tab.get_by_role("heading").first).to_be_visible()
    look(tab, f"{name}-empty")
    tab.close()
    tab = ada.context.new_page()
    outline(tab, furnished["Empty"] + path, f"{name}-loading")
    tab.close()


@pytest.mark.parametrize("path", ["", "files", "explore"])
def test_an_environment_s_pages_while_its_workspace_cannot_be_read(
    house: Podium, ada: Person, furnished: dict[str, str], path: str
) -> None:
    [server] = servers(house.folder / "data", "Harvest 2026")
    workspace = Path(server.cwd())
    workspace.chmod(0o300)
    try:
        tab = ada.visit(furnished["Harvest 2026"] + path)
        expect(tab.get_by_role("alert").first).to_be_visible()
        look(tab, f"environment-{path or 'overview'}-failing")
        tab.close()
    finally:
        workspace.chmod(0o700)


def outline(tab: Page, address: str, name: str) -> None:
    """A page whose server takes what is sent and never answers."""
    tab.route_web_socket(re.compile("/_stcore/stream"), lambda _: None)
    tab.goto(address)
    expect(tab.get_by_test_id("stAppSkeleton")).to_be_visible()
    picture(tab, name)


@pytest.mark.parametrize("path", ["", "workspaces", "clusters", "account", "everyone", "volumes", "users", "audit"])
def test_a_page_that_is_still_loading_is_a_grey_outline(ada: Person, path: str) -> None:
    tab = ada.context.new_page()
    outline(tab, f"{ada.url}/{path}", f"{path or 'environments'}-loading")
    tab.close()


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

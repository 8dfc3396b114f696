"""A bookmark of an environment always leads somewhere, and an open tab goes on when the hub comes back."""

import re
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, WebSocket, expect
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from tests.browser.outside import servers
from tests.browser.people import PATIENCE, SOON, Person, fill_login, person, see_foreign_texts, shot
from tests.support.leaks import keep
from tests.support.podium import Podium

pytestmark = pytest.mark.browser

NAME = "Bookmarked"
RECONNECTED_SECONDS = 5
SHOWN_SECONDS = 2
SLACK = PATIENCE / 10_000
"""How much slower a loaded machine may be; the measured time is printed."""


@pytest.fixture(scope="module")
def address(ada: Person) -> str:
    """Where an environment of Ada's is."""
    ada.launch(NAME)
    return ada.address(NAME)


def overview(tab: Page) -> None:
    expect(tab.get_by_role("heading", name="Overview")).to_be_visible()


def test_logged_out_it_leads_to_the_login_and_from_there_to_its_very_page(
    house: Podium, browsers: Browser, address: str
) -> None:
    with person(browsers, house.url) as ada:
        tab = ada.visit(f"{address}files?folder=")
        fill_login(tab, "ada")
        expect(tab.get_by_role("heading", name="Files")).to_be_visible()
        assert urlsplit(tab.url).path == "/files"
        assert urlsplit(tab.url).netloc == urlsplit(address).netloc


def test_stopped_it_offers_to_launch_and_then_opens_by_itself(ada: Person, address: str) -> None:
    ada.stop(NAME)
    tab = ada.visit(address)
    expect(tab.get_by_role("heading", name=f"{NAME} is stopped")).to_be_visible()
    shot(tab, "door-stopped")
    tab.get_by_role("button", name="Launch environment").click()
    overview(tab)


def test_failed_it_says_why_and_an_open_page_of_environments_knows_it_at_once(
    house: Podium, ada: Person, address: str, tell: Callable[[str], None]
) -> None:
    seen = see_foreign_texts(ada.context)
    ada.hub.reload()
    ada.address(NAME)
    tab = ada.visit(address)
    overview(tab)
    [server] = servers(house.folder / "data", NAME)
    began = time.monotonic()
    server.kill()
    expect(ada.card(NAME).get_by_text("It was ended from outside")).to_be_visible()
    took = time.monotonic() - began
    tell(f"a killed environment was shown as failed after {took:.1f} s")
    assert took < SHOWN_SECONDS * SLACK
    shot(ada.hub, "environments-failed")
    expect(tab.get_by_role("heading", name=f"{NAME} has failed")).to_be_visible()
    expect(tab.get_by_text("Your files are safe").first).to_be_visible()
    shot(tab, "door-failed")
    tab.get_by_role("button", name="Launch again").click()
    overview(tab)
    ada.stop(NAME)
    expect(tab.get_by_role("heading", name=f"{NAME} is stopped")).to_be_visible(timeout=SOON)
    assert seen == set()
    tab.get_by_role("button", name="Launch environment").click()
    overview(tab)


def test_unknown_it_leads_to_the_own_environments(ada: Person, address: str) -> None:
    tab = ada.visit(address.replace(urlsplit(address).netloc.partition(".")[0], "long-gone-abcdefgh"))
    expect(tab.get_by_role("heading", name="There is no such environment")).to_be_visible()
    tab.get_by_role("link", name="Go to your environments").click()
    expect(tab.get_by_role("heading", name="Environments", exact=True)).to_be_visible()


def test_two_tabs_and_double_clicks_on_launch_make_one_environment(house: Podium, ada: Person) -> None:
    other = Person(ada.context, ada.visit(house.url), house.url)
    for one in (ada, other):
        one.at_environments()
        one.fill_launch("Only one")
    for one in (ada, other):
        one.hub.get_by_role("dialog").get_by_role("button", name="Launch environment").dblclick(no_wait_after=True)
    for one in (ada, other):
        expect(one.hub.get_by_role("dialog")).to_be_hidden()
        one.hub.reload()
        expect(one.card("Only one")).to_have_count(1)
    ada.address("Only one")
    assert len(servers(house.folder / "data", "Only one")) == 1
    ada.stop("Only one")
    ada.card("Only one").get_by_role("button", name="Launch").dblclick(no_wait_after=True)
    ada.address("Only one")
    assert len(servers(house.folder / "data", "Only one")) == 1
    ada.stop("Only one")


def test_an_open_tab_goes_on_in_the_same_session_when_a_killed_hub_is_back(
    house: Podium, ada: Person, address: str, tell: Callable[[str], None]
) -> None:
    seen = see_foreign_texts(ada.context)
    tab = ada.context.new_page()
    sessions = _sessions(tab)
    tab.goto(f"{address}files")
    tab.get_by_role("button", name="New folder").click()
    tab.get_by_label("Name of the folder").fill("typed before the hub was killed")
    [server] = servers(house.folder / "data", NAME)
    house.kill()
    for page, name in ((tab, "environment"), (ada.hub, "hub")):
        expect(page.get_by_text("Podium is restarting")).to_be_visible()
        shot(page, f"restarting-{name}")
    house.start()
    assert house.process is not None
    keep(house.process.pid)
    began = time.monotonic()
    expect(tab.get_by_text("Podium is restarting")).to_have_count(0)
    took = time.monotonic() - began
    tell(f"the open tab went on {took:.1f} s after the hub was back")
    assert took < RECONNECTED_SECONDS
    assert tab.get_by_label("Name of the folder").input_value() == "typed before the hub was killed"
    tab.get_by_role("button", name="Make folder").click()
    expect(tab.get_by_role("button", name="/ typed before t… hub was killed")).to_be_visible()
    assert [path.name for path in _workspaces(house).glob("*/typed*")] == ["typed before the hub was killed"]
    assert len(set(sessions)) == 1
    assert server.is_running()
    assert seen == set()
    expect(ada.hub.get_by_text("Podium is restarting")).to_have_count(0)
    expect(ada.card(NAME)).to_contain_text("Running")


def _workspaces(house: Podium) -> Path:
    return house.folder / "data" / "workspaces"


def _sessions(tab: Page) -> list[str]:
    """The ids of the Streamlit sessions that the tab's sockets belong to, as they come."""
    found: list[str] = []

    def note(payload: str | bytes) -> None:
        message = ForwardMsg()
        message.ParseFromString(payload if isinstance(payload, bytes) else payload.encode())
        if message.HasField("new_session"):
            found.append(message.new_session.initialize.session_id)

    def listen(socket: WebSocket) -> None:
        if re.search(r"/_stcore/stream", socket.url):
            socket.on("framereceived", note)

    tab.on("websocket", listen)
    return found

"""An open tab of a real environment, in a real browser: the hub restarts, the session ends, the environment ends."""

import json
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Error, Page, Route, expect

from hub.environments.model import Environment, Phase, Target
from hub.routing import control
from hub.settings import ROOT
from tests.routing.conftest import settings_for
from tests.routing.serving import PATIENCE, listener, serving, until
from tests.routing.world import World
from tests.support.chromium import launched

pytestmark = pytest.mark.browser

SCRIPT = """
import streamlit as st
st.session_state.setdefault("clicks", 0)
if st.button("Count"):
    st.session_state.clicks += 1
st.write(f"clicks: {st.session_state.clicks}")
st.write(f"for: {st.user.name}")
"""
STREAMLITS_WORDS = re.compile("connecting|connection (error|failed)|streamlit server|is streamlit still", re.IGNORECASE)
SLUG = "calm-heron"


class Hub:
    """A hub that can be ended and started again at its port."""

    def __init__(self, world: World, port: int) -> None:
        self.world = world
        self.port = port
        self._running = ExitStack()

    def start(self) -> None:
        self._running.enter_context(serving(self.world.app, listener(port=self.port)))

    def stop(self) -> None:
        self._running.close()

    @property
    def address(self) -> str:
        return f"http://{SLUG}.localhost:{self.port}/"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with launched() as browser:
        yield browser


@pytest.fixture
def hub(template: Path, tmp_path: Path) -> Iterator[Hub]:
    database = tmp_path / "podium.db"
    shutil.copyfile(template, database)
    with listener() as probe:
        port = int(probe.getsockname()[1])
    world = World.build(settings_for("host", port), f"sqlite:///{database}")
    hub = Hub(world, port)
    hub.start()
    yield hub
    hub.stop()
    world.close()


@pytest.fixture
def folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="podium-t-"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def environment(hub: Hub, folder: Path) -> Iterator[tuple[Environment, subprocess.Popen[bytes]]]:
    environment = hub.world.environment(SLUG, "alice", f"unix:{folder / 's'}")
    with _running(hub.world, environment, folder) as process:
        yield environment, process


@contextmanager
def _running(world: World, environment: Environment, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    (folder / "app.py").write_text(SCRIPT)
    (folder / "workspace").mkdir()
    spec = {
        "start_id": environment.start_id,
        "environment_id": environment.id,
        "workspace": str(folder / "workspace"),
        "script": str(folder / "app.py"),
        "keys": list(world.keys.public_set()),
        "socket": str(folder / "s"),
    }
    (folder / "spec.json").write_text(json.dumps(spec))
    python = ROOT / "user-environment" / ".venv" / "bin" / "python"
    command = [str(python), "-m", "environment.server", str(folder / "spec.json")]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT / "user-environment", stdout=log, stderr=log)
    try:
        until(lambda: process.poll() is not None or (folder / "s").exists(), 60)
        assert process.poll() is None, (folder / "log").read_text()
        yield process
    finally:
        process.kill()
        process.wait(PATIENCE)


@pytest.fixture
def page(chromium: Browser, hub: Hub, environment: tuple[Environment, object]) -> Iterator[Page]:
    """Alice's tab: she is logged in at the hub and follows a bookmark of her environment."""
    assert environment[0].slug == SLUG
    context = chromium.new_context()
    token, _ = hub.world.login("alice")
    page = context.new_page()
    page.goto(f"http://localhost:{hub.port}/log-in?{token}")
    until(lambda: _opens(page, hub.address), 60)
    expect(page.get_by_text("clicks: 0")).to_be_visible(timeout=60_000)
    page.get_by_role("button", name="Count").click()
    expect(page.get_by_text("clicks: 1")).to_be_visible(timeout=30_000)
    yield page
    context.close()


def _opens(page: Page, address: str) -> bool:
    """While the environment's server is still starting the door stands there, and opens by itself at any moment."""
    try:
        page.goto(address)
    except Error:  # the door has just loaded itself anew; what stands there then is what counts
        page.wait_for_load_state()
    return page.locator("#door").count() == 0


def _until_door(page: Page, address: str) -> None:
    """The gateway may go on with its last answer for two seconds."""
    until(lambda: not _opens(page, address), 60)


def _says_nothing_of_streamlits(page: Page) -> None:
    assert not STREAMLITS_WORDS.search(page.locator("body").inner_text())


def test_the_page_goes_on_with_the_same_session_soon_after_the_hub_is_back(hub: Hub, page: Page) -> None:
    expect(page.get_by_text("for: Alice")).to_be_visible()
    hub.stop()
    expect(page.get_by_text("Podium is restarting…")).to_be_visible(timeout=10_000)
    until_then = time.monotonic() + 6
    while time.monotonic() < until_then:
        _says_nothing_of_streamlits(page)
    hub.start()
    back = time.monotonic()
    expect(page.locator("#podium-away")).to_have_count(0, timeout=5_000)
    assert time.monotonic() - back <= 5
    page.get_by_role("button", name="Count").click()
    expect(page.get_by_text("clicks: 2")).to_be_visible(timeout=20_000)


@pytest.mark.case("CVE-2021-41247")
def test_a_tab_whose_session_ended_shows_the_way_back_within_ten_seconds(hub: Hub, page: Page) -> None:
    person = hub.world.sessions.of_user(hub.world.user("alice"))[0]
    hub.world.sessions.end(person.id, "logout")
    assert control.run_once(hub.world.database, hub.world.keys) == 1
    page.wait_for_url(re.compile(f"http://localhost:{hub.port}/login"), timeout=10_000)
    assert page.locator("body").inner_text() == "hub /login"


def test_a_tab_whose_environment_ended_shows_its_door_within_ten_seconds(
    hub: Hub, page: Page, environment: tuple[Environment, subprocess.Popen[bytes]]
) -> None:
    row, process = environment
    process.kill()
    hub.world.change(row, phase=Phase.FAILED, target=Target.STOPPED, reason="Out of memory. Your files are safe.")
    expect(page.get_by_role("heading", name="calm heron has failed")).to_be_visible(timeout=10_000)
    expect(page.get_by_role("button", name="Launch again")).to_be_visible()
    _says_nothing_of_streamlits(page)


def test_a_waiting_page_opens_by_itself(hub: Hub, page: Page, environment: tuple[Environment, object]) -> None:
    hub.world.change(environment[0], phase=Phase.STARTING)
    _until_door(page, hub.address)
    expect(page.get_by_role("heading", name="calm heron is starting")).to_be_visible()
    page.set_viewport_size({"width": 420, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    hub.world.change(environment[0], phase=Phase.RUNNING)
    expect(page.get_by_text("clicks: 0")).to_be_visible(timeout=60_000)


def test_the_button_of_a_stopped_environment_works_by_keyboard(
    hub: Hub, page: Page, environment: tuple[Environment, object]
) -> None:
    hub.world.change(environment[0], phase=Phase.STOPPED, target=Target.STOPPED)
    _until_door(page, f"{hub.address}some/bookmark")
    button = page.get_by_role("button", name="Launch environment")
    expect(button).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="calm heron is starting")).to_be_visible(timeout=10_000)
    assert page.url.endswith("/some/bookmark")


def test_a_page_of_which_a_piece_did_not_come_is_loaded_anew_once(page: Page) -> None:
    lose_a_piece = "window.before = true; window.dispatchEvent(new Event('vite:preloadError'))"
    page.evaluate(lose_a_piece)
    page.wait_for_function("!window.before")
    expect(page.get_by_text("for: Alice")).to_be_visible()
    page.evaluate(lose_a_piece)
    expect(page.get_by_text("for: Alice")).to_be_visible()
    assert page.evaluate("window.before")


def test_a_page_whose_first_script_did_not_come_is_loaded_anew_until_it_comes(page: Page) -> None:
    lost = []

    def lose(route: Route) -> None:
        lost.append(route)
        route.abort("internetdisconnected")

    page.route(re.compile(r"/static/js/index\."), lose, times=2)
    page.reload()
    expect(page.get_by_text("for: Alice")).to_be_visible(timeout=20_000)
    assert len(lost) == 2

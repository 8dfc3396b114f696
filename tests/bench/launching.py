"""How long a launch takes and what an environment holds in memory, beside a plain `streamlit run` of the same app."""

import json
import socket
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import psutil
from playwright.sync_api import Browser, Page

from hub.environments.model import Phase
from hub.identity.cookies import cookie_name
from tests.bench.figures import Figure
from tests.bench.ground import Ground, Visitor, connect_streamlit, run_once, streamlit_run

ROUNDS = 5
TENTH = 10


def launch_to_first_run(ground: Ground) -> Figure:
    """From the launch request to the end of the first script run, by a WebSocket client."""
    visitor = ground.visitor("launcher")
    ours = median([_our_launch(ground, visitor) for _ in range(ROUNDS)])
    theirs = median([_plain_start()[0] for _ in range(ROUNDS)])
    return Figure("launch request to end of first run", ours, "s", theirs, "streamlit run", ratio_limit=0.5)


def _our_launch(ground: Ground, visitor: Visitor) -> float:
    began = time.monotonic()
    assert visitor.ask("POST", "/_podium/launch", b"next=/") == 303
    with visitor.socket() as stream:
        run_once(stream)
        took = time.monotonic() - began
    ground.stop(visitor)
    return took


def _plain_start() -> tuple[float, int]:
    """Seconds from the command to the end of the first run, and the server's memory then."""
    port = _free_port()
    with TemporaryDirectory() as workspace:
        began = time.monotonic()
        with streamlit_run(Path(workspace), port) as process:
            url, origin = f"ws://127.0.0.1:{port}/_stcore/stream", f"http://127.0.0.1:{port}"
            with connect_streamlit(url, port, {}, origin) as stream:
                run_once(stream)
                return time.monotonic() - began, pss(psutil.Process(process.pid))


def memory_of_the_tenth(ground: Ground) -> Figure:
    """PSS of the tenth environment and its supervisor after the first run, nine others beside it."""
    visitors = [ground.visitor(f"tenth{number}") for number in range(TENTH)]
    for visitor in visitors:
        assert visitor.ask("POST", "/_podium/launch", b"next=/") == 303
        with visitor.socket() as stream:
            run_once(stream)
    ours = _memory_of(ground, visitors[-1])
    for visitor in visitors:
        ground.stop(visitor)
    return Figure(
        "memory of the 10th environment", ours / 1e6, "MB", _plain_start()[1] / 1e6, "streamlit run", ratio_limit=0.65
    )


def _memory_of(ground: Ground, visitor: Visitor) -> int:
    supervisor = psutil.Process(int(_supervisor_of(ground, visitor)["pid"]))
    return sum(pss(process) for process in (supervisor, *supervisor.children(recursive=True)))


def _supervisor_of(ground: Ground, visitor: Visitor) -> dict[str, Any]:
    view = ground.services.environments.get(visitor.person, visitor.view.id)
    record = ground.services.folder.path / "starts" / (view.start_id or "") / "supervisor.json"
    found: dict[str, Any] = json.loads(record.read_text())
    return found


def pss(process: psutil.Process) -> int:
    """Bytes, shared pages counted by their share."""
    return int(process.memory_full_info().pss)


def click_to_first_frame(ground: Ground, browser: Browser) -> list[Figure]:
    """From the click on *Launch environment* to the first frame, against opening a tab on one that runs already."""
    visitor = ground.visitor("clicker")
    launches = [_in_browser(ground, browser, visitor, click_launch) for _ in range(ROUNDS)]
    assert visitor.ask("POST", "/_podium/launch", b"next=/") == 303
    ground.until(visitor.person, visitor.view, Phase.RUNNING)
    with visitor.socket() as stream:
        run_once(stream)
    opened = [_in_browser(ground, browser, visitor, open_tab) for _ in range(ROUNDS)]
    known = [_in_browser(ground, browser, visitor, _open_again) for _ in range(ROUNDS)]
    ground.stop(visitor)
    unseen = "tab on a running one, host unseen"
    return [
        Figure("click to first frame in Chromium", median(launches), "s", median(opened), unseen, difference_limit=0.5),
        Figure("tab on a running one, host seen before", median(known), "s", median(opened), unseen),
    ]


def _in_browser(ground: Ground, browser: Browser, visitor: Visitor, act: Callable[[Page, str], float]) -> float:
    context = browser.new_context()
    name = cookie_name(ground.services.settings, "session")
    context.add_cookies(
        [{"name": name, "value": visitor.session, "url": "https://localhost/", "httpOnly": True, "secure": True}]
    )
    try:
        return act(context.new_page(), ground.services.addresses.environment(visitor.view.slug, visitor.view.cluster_id))
    finally:
        context.close()
        if act is click_launch:
            ground.stop(visitor)


def click_launch(page: Page, url: str) -> float:
    page.goto(url)
    button = page.get_by_role("button", name="Launch environment")
    button.wait_for()
    began = time.monotonic()
    button.click()
    return _first_frame(page, began)


def open_tab(page: Page, url: str) -> float:
    began = time.monotonic()
    page.goto(url, wait_until="commit")
    return _first_frame(page, began)


def _open_again(page: Page, url: str) -> float:
    open_tab(page, url)
    return open_tab(page, url)


def killed_to_shown(ground: Ground, browser: Browser) -> Figure:
    """From the kill of an environment's process to its reason on an open page of environments, which nobody touches."""
    visitor = ground.visitor("watcher")
    shown = [_in_browser(ground, browser, visitor, _kill(ground, visitor)) for _ in range(ROUNDS)]
    return Figure("environment killed until the open page says so", median(shown), "s", limit=2)


def _kill(ground: Ground, visitor: Visitor) -> Callable[[Page, str], float]:
    def act(page: Page, _url: str) -> float:
        assert visitor.ask("POST", "/_podium/launch", b"next=/") == 303
        ground.until(visitor.person, visitor.view, Phase.RUNNING)
        page.goto(ground.podium.url)
        page.get_by_role("link", name="Open environment").wait_for(timeout=60_000)
        began = time.monotonic()
        _server(ground, visitor).kill()
        page.get_by_text("It was ended from outside").wait_for(timeout=60_000)
        return time.monotonic() - began

    return act


def logout_to_shown(ground: Ground, browser: Browser) -> Figure:
    """From the end of a session to Podium's own page on an open tab of an environment."""
    visitor = ground.visitor("leaver")
    assert visitor.ask("POST", "/_podium/launch", b"next=/") == 303
    ground.until(visitor.person, visitor.view, Phase.RUNNING)

    def act(page: Page, url: str) -> float:
        open_tab(page, url)
        began = time.monotonic()
        ground.services.sessions.end(visitor.person.session_id, "bench")
        page.get_by_role("heading", name="Log in").wait_for(timeout=60_000)
        return time.monotonic() - began

    took = _in_browser(ground, browser, visitor, act)
    ground.stop(visitor)
    return Figure("session ended until an open tab shows the login", took, "s", limit=10)


def _server(ground: Ground, visitor: Visitor) -> psutil.Process:
    return psutil.Process(int(_supervisor_of(ground, visitor)["server"]))


def _first_frame(page: Page, began: float) -> float:
    page.get_by_role("heading", name="Overview").wait_for(timeout=60_000)  # `expect` looks only twice a second
    return time.monotonic() - began


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

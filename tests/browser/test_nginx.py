"""Behind NGINX, set up as docs/operating/nginx.md says: open environments do not notice that the hub is away."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from websockets.sync.client import ClientConnection

from tests.bench.ground import connect_streamlit, run_once
from tests.browser.outside import servers
from tests.browser.people import Person, person, see_foreign_texts
from tests.routing.serving import free_port
from tests.support.nginx import nginx_in_front
from tests.support.podium import Podium, installed

pytestmark = pytest.mark.browser
SOCKETS = 20


@pytest.fixture
def fronted(tmp_path: Path) -> Iterator[Podium]:
    port, hub_port = free_port(), free_port()
    variables = {"PODIUM_PUBLIC_URL": f"http://localhost:{port}", "PODIUM_PORT": str(hub_port)}
    with installed(tmp_path, variables) as podium, nginx_in_front(podium, tmp_path, port):
        yield podium


def sockets(ada: Person, address: str, stack: ExitStack) -> list[ClientConnection]:
    """As many tabs of hers, each with a script that has run."""
    host = address.removeprefix("http://").rstrip("/")
    cookie = "; ".join(f"{one['name']}={one['value']}" for one in ada.context.cookies(address.replace("http:", "https:")))
    found = []
    for _ in range(SOCKETS):
        url, port = f"ws://{host}/_stcore/stream", int(host.rpartition(":")[2])
        connection = stack.enter_context(connect_streamlit(url, port, {"Cookie": cookie}, f"http://{host}"))
        run_once(connection)
        found.append(connection)
    return found


def test_twenty_open_sockets_stay_while_the_hub_is_killed_and_comes_back(fronted: Podium, browser: Browser) -> None:
    with person(browser, fronted.url) as ada, ExitStack() as stack:
        ada.sign_up(fronted.link or "", "ada", "Ada Lovelace")
        seen = see_foreign_texts(ada.context)
        ada.launch("Behind NGINX")
        address = ada.address("Behind NGINX")
        tab = ada.open("Behind NGINX")
        [server] = servers(fronted.folder / "data", "Behind NGINX")
        open_sockets = sockets(ada, address, stack)
        fronted.kill()
        for connection in open_sockets:
            run_once(connection)
        tab.get_by_role("link", name="Files").click()
        expect(tab.get_by_role("heading", name="Files", exact=True)).to_be_visible()
        fronted.start()
        for connection in open_sockets:
            run_once(connection)
        again = ada.visit(address)
        expect(again.get_by_role("heading", name="Overview")).to_be_visible()
        assert server.is_running()
        assert seen == set()


def test_what_runs_is_left_by_ctrl_c_and_taken_back_by_the_next_start(fronted: Podium, browser: Browser) -> None:
    with person(browser, fronted.url) as ada:
        ada.sign_up(fronted.link or "", "ada", "Ada Lovelace")
        ada.launch("Left running")
        ada.address("Left running")
        [server] = servers(fronted.folder / "data", "Left running")
        fronted.stop()
        assert fronted.process is not None
        assert fronted.process.returncode == 0
        assert "Environments left running: 1" in fronted.lines[-1]
        assert server.is_running()
        fronted.start()
        ada.hub.goto(fronted.url)
        tab = ada.open("Left running")
        expect(tab.get_by_role("heading", name="Overview")).to_be_visible()
        assert servers(fronted.folder / "data", "Left running") == [server]
        ada.stop("Left running")
        expect(tab.get_by_role("heading", name="Left running is stopped")).to_be_visible()

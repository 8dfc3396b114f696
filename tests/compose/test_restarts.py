"""Services restart and settings change, and nobody's work is lost."""

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed

from tests.cluster.house import Browser, House
from tests.compose.installed import Installed
from tests.spawners.far_side import until
from tests.support.files_page import FilesPage
from tests.support.script_run import run, session_of

NOTES = b"day,seen\n1,heron\n"


@pytest.fixture
def house(machine: Installed) -> Iterator[House]:
    house = machine.house()
    yield house
    house.database.close()


def environments(ada: Browser) -> list[dict[str, Any]]:
    """Nothing while the hub does not answer."""
    try:
        answer = ada.ask("GET", "/api/v1/environments")
    except httpx.TransportError:
        return []
    return list(answer.json()["items"]) if answer.status_code == 200 else []


def opens(ada: Browser, host: str, cookie: str) -> bool:
    """Whether the environment answers."""
    with contextlib.suppress(httpx.TransportError):
        return ada.ask("GET", "/_stcore/health", host=host, cookie=cookie).status_code == 200
    return False


def test_hub_database_and_agent_restart_under_an_open_page_that_goes_on(machine: Installed, house: House) -> None:
    ada = house.newcomer()
    host, cookie = ada.launched("Through restarts")
    with ada.page(host, cookie) as tab:
        session = session_of(run(tab))
        FilesPage(tab, partial(ada.ask, host=host, cookie=cookie)).upload("notes.csv", NOTES)
        for service in ("hub", "database"):
            machine.compose("restart", service)
            assert session_of(run(tab)) == session
            until(lambda: environments(ada), 60)
        kill = "import os, signal, json; os.kill(int(os.environ['AGENT']), signal.SIGKILL)"
        agent = next(pid for pid, command in _processes(machine) if "hub.spawners.local.agent" in command)
        machine.compose("exec", "--no-TTY", "--env", f"AGENT={agent}", "environments", "python", "-c", kill)
        assert session_of(run(tab)) == session
        until(lambda: house.newcomer().order("By the next agent", "Light").status_code == 202, 60)
        assert session_of(run(tab)) == session
        assert [one["phase"] for one in environments(ada)] == ["running"]


def test_nginx_restarts_and_the_page_comes_back_to_its_session(machine: Installed, house: House) -> None:
    ada = house.newcomer()
    host, cookie = ada.launched("Behind NGINX")
    with ada.page(host, cookie) as tab:
        session = session_of(run(tab))
        machine.compose("restart", "nginx")
        with pytest.raises(ConnectionClosed):
            run(tab)
    until(lambda: environments(ada), 60)
    with ada.page(host, cookie, session=session) as tab:
        assert session_of(run(tab)) == session


def test_environments_restart_and_come_back_by_themselves_with_their_files(machine: Installed, house: House) -> None:
    ada = house.newcomer()
    host, cookie = ada.launched("Lost and back")
    with ada.page(host, cookie) as tab:
        FilesPage(tab, partial(ada.ask, host=host, cookie=cookie)).upload("notes.csv", NOTES)
    machine.compose("restart", "environments")
    until(lambda: opens(ada, host, cookie), 120)
    with ada.page(host, cookie) as tab:
        assert FilesPage(tab, partial(ada.ask, host=host, cookie=cookie)).download("notes.csv") == NOTES


def test_up_alone_brings_another_public_url_and_an_environment_goes_on(machine: Installed, house: House) -> None:
    ada = house.newcomer()
    host, cookie = ada.launched("Moves along")
    with ada.page(host, cookie) as tab:
        session = session_of(run(tab))
        (machine.folder / "podium.env").write_text("PODIUM_TOKEN_EXPIRE_HOURS=9\n")
        machine.up()
        assert session_of(run(tab)) == session, "NGINX has nothing to do with that one, and cuts no connection"
    machine.domain = "podium.test"
    machine.up()
    ada.house = replace(house, release=replace(house.release, url=machine.url))
    until(lambda: login(machine, ada.house.host) == 200)
    assert login(machine, house.host) == 421
    assert not opens(ada, host, cookie)
    cookie = cookie.removeprefix("__Host-")  # which browsers take of localhost, but of no other name without TLS
    with ada.page(host.replace(house.host, ada.house.host), cookie, session=session) as tab:
        assert session_of(run(tab)) == session, "the process that holds it still runs"


def test_a_hub_at_another_place_in_its_network_is_found_there(machine: Installed, house: House) -> None:
    before = machine.addresses("hub")
    machine.compose("stop", "hub")
    with machine.stranger("inside"):
        machine.up()
        assert machine.addresses("hub") != before
        until(lambda: login(machine, house.host) == 200)


def login(machine: Installed, host: str) -> int:
    """What is answered below that name; nothing while NGINX restarts."""
    with contextlib.suppress(httpx.TransportError):
        return httpx.get(f"http://127.0.0.1:{machine.port}/login", headers={"Host": host}).status_code
    return 0


def _processes(machine: Installed) -> list[tuple[str, str]]:
    """Number and command of all in the service that runs environments."""
    listing = (
        "import glob\nfor name in glob.glob('/proc/[0-9]*/cmdline'):\n"
        "    try: print(name.split('/')[2], open(name).read().replace(chr(0), ' '))\n    except OSError: pass"
    )
    lines = machine.inside("environments", "python", "-c", listing).splitlines()
    return [(line.split(" ", 1)[0], line.split(" ", 1)[1]) for line in lines if " " in line]

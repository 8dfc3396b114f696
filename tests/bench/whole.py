"""Figures of a whole Podium in the cluster: the chart's hub and NGINX, PostgreSQL, and real environments."""

import asyncio
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from statistics import median

import httpx
from playwright.sync_api import Page
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Origin, Subprotocol

from hub.environments.launching import count_live
from hub.environments.model import Phase
from hub.identity.cookies import cookie_name
from tests.bench.figures import Figure
from tests.bench.launching import ROUNDS, click_launch, open_tab
from tests.cluster.house import Browser, House, built
from tests.cluster.nodes import fake_nodes
from tests.cluster.tools import kubectl
from tests.spawners.far_side import until
from tests.support.chromium import launched
from tests.support.files_page import FilesPage
from tests.support.script_run import run, text

OWNERS, SOCKETS, LAUNCHES, RESTARTS = 5, 500, 100, 2
PEOPLE = 50
Entered = tuple[str, str]
"""An environment's host, and the cookie with which its owner enters it."""


def figures(profiles: str, gpu: str) -> Iterator[Figure]:
    """`profiles` has the presets Light, on real nodes, and Fake, on those with that GPU."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "profiles.toml"
        file.write_text(profiles, encoding="utf-8")
        with built(profiles=file, hub_replicas="1") as house:
            yield first_frame(house)
            with fake_nodes(3, gpu=gpu):
                yield sockets_that_were_dropped(house)
        with built(profiles=file) as house:
            yield people_who_were_refused(house)


def first_frame(house: House) -> Figure:
    """From the click on *Launch environment* to the first frame, against a tab on one that runs already."""
    owner = house.newcomer()
    host, _ = owner.launched("First frame")
    opened = [in_browser(owner, host, open_tab) for _ in range(ROUNDS)]
    clicked = []
    for _ in range(ROUNDS):
        stop(owner)
        clicked.append(in_browser(owner, host, click_launch))
    return Figure("Click to first frame in Chromium", median(clicked), "s", median(opened), "tab on a running one")


def in_browser(owner: Browser, host: str, act: Callable[[Page, str], float]) -> float:
    name = cookie_name(owner.house.settings, "session")
    with launched() as browser:
        context = browser.new_context()
        context.add_cookies(
            [{"name": name, "value": owner.token, "url": "https://localhost/", "httpOnly": True, "secure": True}]
        )
        return act(context.new_page(), f"http://{host}/")


def stop(owner: Browser) -> None:
    [environment] = owner.ask("GET", "/api/v1/environments").json()["items"]
    address = f"/api/v1/environments/{environment['id']}"
    owner.ask("POST", f"{address}/stop")
    until(lambda: owner.ask("GET", address).json()["phase"] == "stopped", 120)


def people_who_were_refused(house: House) -> Figure:
    """Each launches, uploads a file, gets it back, and looks at pages of the hub, every request through the other NGINX."""
    content = b"number\n" + b"1\n" * 500_000

    def work(_: int) -> bool:
        somebody = house.newcomer()
        host, cookie = somebody.launched("Files")
        with somebody.page(host, cookie) as tab:
            page = FilesPage(tab, partial(somebody.ask, host=host, cookie=cookie))
            page.upload("numbers.csv", content)
            is_whole = page.download("numbers.csv") == content
        with somebody.page() as tab:
            return is_whole and all("Files" in text(run(tab, page)) for page in ("environments", "workspaces"))

    with ThreadPoolExecutor(10) as pool:
        served = list(pool.map(work, range(PEOPLE)))
    name = f"{PEOPLE} people launch, upload, download and click through three hubs and two NGINX: refused"
    return Figure(name, served.count(False), "", limit=0)


def sockets_that_were_dropped(house: House) -> Figure:
    owners = [house.newcomer() for _ in range(OWNERS)]
    with ThreadPoolExecutor(OWNERS) as pool:
        entered = list(pool.map(lambda owner: owner.launched("Sockets"), owners))
    dropped = asyncio.run(held_open(house, entered, lambda: launch_and_restart(house)))
    name = f"{SOCKETS} open sockets through NGINX while {LAUNCHES} launch and the hub restarts twice: dropped"
    return Figure(name, dropped, "", limit=0)


async def held_open(house: House, entered: list[Entered], act: Callable[[], None]) -> int:
    """Of so many sockets, how many did not outlive what was done meanwhile."""
    opened = [await tab(house.edges[number % len(house.edges)], *entered[number % OWNERS]) for number in range(SOCKETS)]
    await asyncio.to_thread(act)
    answers = await asyncio.gather(*(is_alive(one) for one in opened))
    await asyncio.gather(*(one.close() for one in opened))
    return answers.count(False)


async def tab(edge: str, host: str, cookie: str) -> ClientConnection:
    address, _, port = edge.rpartition(":")
    return await connect(
        f"ws://{host}/_stcore/stream", host=address, port=int(port), additional_headers={"Cookie": cookie},
        origin=Origin(f"http://{host}"), subprotocols=[Subprotocol("streamlit")], proxy=None, compression=None,
    )  # fmt: skip


async def is_alive(opened: ClientConnection) -> bool:
    try:
        await asyncio.wait_for(await opened.ping(), 60)
    except (ConnectionClosed, TimeoutError):
        return False
    return True


def launch_and_restart(house: House) -> None:
    """All launches come about, however often a person has to press again while the hub is away."""
    people = [house.newcomer() for _ in range(LAUNCHES)]
    accepted = threading.Semaphore(0)

    def launch(somebody: Browser) -> None:
        until(lambda: is_accepted(somebody), 300)
        accepted.release()

    with ThreadPoolExecutor(8) as pool:
        for somebody in people:
            pool.submit(launch, somebody)
        for _ in range(RESTARTS):
            for _ in range(LAUNCHES // 4):
                accepted.acquire()
            restart(house)
    until(lambda: running(house) >= LAUNCHES + OWNERS, 600)


def is_accepted(somebody: Browser) -> bool:
    """A launch that the hub took and could not answer any more is refused the second time: there is one of that name."""
    try:
        return somebody.order("Meanwhile", "Fake").status_code in {202, 409}
    except httpx.HTTPError:
        return False


def restart(house: House) -> None:
    namespace = house.release.namespace
    kubectl("-n", namespace, "delete", "pod", "podium-hub-0")
    kubectl("-n", namespace, "rollout", "status", "statefulset/podium-hub", "--timeout=180s")


def running(house: House) -> int:
    with house.database.reading() as session:
        return count_live(session).get(Phase.RUNNING, 0)

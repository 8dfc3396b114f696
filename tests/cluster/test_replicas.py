"""Three hubs on one PostgreSQL behind two NGINX: all are served, and the loss of the hub that leads costs nobody a socket."""

import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection

from tests.cluster.house import House, built
from tests.cluster.tools import answers, kubectl
from tests.spawners.far_side import until
from tests.support.files_page import FilesPage
from tests.support.script_run import run, session_of, text

PEOPLE = 50
RESEARCHERS, FILES, TABS = 5, 10, 50
BACK_WITHIN = 10
"""Seconds."""


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    with built() as one:
        yield one


def test_fifty_people_click_call_and_come_back_through_either_nginx_without_a_single_refusal(house: House) -> None:
    """A tab that was cut off finds its session only at the hub that it was at. The hub's pages take no files and give none."""
    assert len(house.edges) == 2

    def visit(_: int) -> Counter[int]:
        browser = house.newcomer()
        seen: Counter[int] = Counter()
        session = ""
        for page, heading in (("environments", "Environments"), ("workspaces", "Workspaces"), ("clusters", "Clusters")):
            with browser.page(session=session) as tab:
                told = run(tab, page)
                assert heading in text(told)
                assert "/media/" not in str(told)
                assert session in {"", session_of(told)}
                session = session_of(told)
                seen[browser.ask("GET", "/api/v1/me").status_code] += 1
        return seen

    with ThreadPoolExecutor(10) as pool:
        seen = sum(pool.map(visit, range(PEOPLE)), Counter[int]())
    assert seen == {200: 3 * PEOPLE}


def test_uploads_and_downloads_come_whole_through_either_nginx(house: House) -> None:
    def work(_: int) -> None:
        somebody = house.newcomer()
        host, cookie = somebody.launched("Files")
        files = {f"{number}.csv": f"number\n{number}\n".encode() * 20_000 for number in range(FILES)}
        with somebody.page(host, cookie) as tab:
            page = FilesPage(tab, partial(somebody.ask, host=host, cookie=cookie))
            for name, content in files.items():
                page.upload(name, content)
            assert {name: page.download(name) for name in files} == files

    with ThreadPoolExecutor(RESEARCHERS) as pool:
        list(pool.map(work, range(RESEARCHERS)))


@pytest.mark.case("R20")
def test_when_the_hub_that_leads_is_killed_another_leads_and_no_environment_loses_a_socket(house: House) -> None:
    ada, bob = house.newcomer(), house.newcomer()
    host, cookie = ada.launched("Long computation")
    with ExitStack() as stack:
        tabs = [stack.enter_context(ada.page(host, cookie)) for _ in range(TABS)]
        assert all("Overview" in text(run(tab)) for tab in tabs)
        first, before = until(house.leader), environments(house)
        pod = first.partition(" ")[0]
        kubectl("-n", house.release.namespace, "delete", "pod", pod, "--grace-period=0", "--force")
        bob.launched("Launched meanwhile")
        assert all("Overview" in text(run(tab)) for tab in tabs)
    until(lambda: house.leader() != first)
    assert len(environments(house)) == len(before) + 1
    until(lambda: pod in ready_hubs(house), 120)


def test_an_upgrade_of_the_hubs_drops_no_socket_of_an_environment(house: House) -> None:
    ada = house.newcomer()
    host, cookie = ada.launched("Over the upgrade")
    with ada.page(host, cookie) as tab:
        session = session_of(run(tab))
        for act in ("restart", "status"):
            kubectl("-n", house.release.namespace, "rollout", act, "statefulset/podium-hub")
        assert "Overview" in text(run(tab))
        assert session_of(run(tab)) == session


@pytest.mark.case("R16")
def test_a_socket_that_an_ending_nginx_cuts_comes_back_to_its_session_through_another(house: House) -> None:
    ada = house.newcomer()
    host, cookie = ada.launched("Behind NGINX")
    going, staying = house.edges
    namespace = house.release.namespace
    path = f"jsonpath={{.items[?(@.status.podIP=='{going.partition(':')[0]}')].metadata.name}}"
    name = kubectl("-n", namespace, "get", "pods", "-o", path)
    with ada.page(host, cookie, edge=going) as tab:
        session = session_of(run(tab))
        kubectl("-n", namespace, "delete", "pod", name, "--wait=false")
        until(lambda: not answers(going))
        assert "Overview" in text(run(tab))  # what is open goes on until the grace period is over
        with pytest.raises(ConnectionClosed):
            listen(tab)
        cut = time.monotonic()
    with ada.page(host, cookie, session=session, edge=staying) as again:
        assert session_of(run(again)) == session
    assert time.monotonic() - cut < BACK_WITHIN


def environments(house: House) -> list[str]:
    """Their pods."""
    return kubectl("-n", house.release.environments, "get", "pods", "-l", "podium/role=environment", "-o", "name").split()


def listen(tab: ClientConnection) -> None:
    """To all that comes. Raises `ConnectionClosed`, or `TimeoutError` where nothing comes any more."""
    while True:
        tab.recv(60)


def ready_hubs(house: House) -> str:
    path = "jsonpath={range .items[?(@.status.containerStatuses[0].ready==true)]}{.metadata.name} {end}"
    return kubectl("-n", house.release.namespace, "get", "pods", "-l", "app.kubernetes.io/component=hub", "-o", path)

"""This release and the one before serve one database together, while people go on working; and the way back is open."""

import os
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import pytest
from sqlalchemy import text as sql
from websockets.exceptions import ConnectionClosed

import hub
from tests.cluster import previous
from tests.cluster.house import Browser, House, built
from tests.cluster.installed import CHART, RELEASE
from tests.cluster.tools import command, kubectl
from tests.spawners.far_side import until
from tests.support.files_page import FilesPage
from tests.support.script_run import run, session_of, text

BEFORE, NOW = "TEST_PREVIOUS_HUB_IMAGE", "TEST_HUB_IMAGE"
PEOPLE = 4
NOTES = b"day,seen\n1,heron\n"


@pytest.fixture
def house() -> Iterator[House]:
    """The release before, behind NGINX pods that let open sockets be."""
    image = os.environ[BEFORE]
    with built(str(previous.CHART), images_hub=image, nginx_terminationGracePeriodSeconds="900") as one:
        address = kubectl("-n", one.release.namespace, "get", "service", RELEASE, "-o", "jsonpath={.spec.clusterIP}")
        one.edges = [f"{address}:80"]  # whichever NGINX there are
        # The release before ends NGINX and hubs before every node has heard that they go; this release does not.
        one.patience = 20
        yield one


@pytest.mark.case("R12")
@pytest.mark.case("B5")
def test_people_work_on_while_hubs_are_replaced_by_the_next_release_and_back_again(house: House) -> None:
    ada = house.newcomer()
    host, cookie = ada.launched("Over the releases")
    assert schema(house) < hub.SCHEMA
    with ada.page(host, cookie) as tab, people(house) as seen:
        session = session_of(run(tab))
        FilesPage(tab, partial(ada.ask, host=host, cookie=cookie)).upload("notes.csv", NOTES)
        with helm(house, "upgrade", RELEASE, CHART, "--reuse-values", "--set", f"images.hub={os.environ[NOW]}"):
            until(lambda: ready_images(house) == {os.environ[BEFORE], os.environ[NOW]}, 300)
            house.newcomer().launched("By either release")
        assert schema(house) == hub.SCHEMA
        assert ready_images(house) == {os.environ[NOW]}
        house.newcomer().launched("By this release")
        with helm(house, "rollback", RELEASE):
            until(lambda: ready_images(house) == {os.environ[BEFORE], os.environ[NOW]}, 300)
            house.newcomer().launched("By either release, on the way back")
        assert schema(house) == hub.SCHEMA
        assert ready_images(house) == {os.environ[BEFORE]}
        house.newcomer().launched("By the release before")
        assert session_of(run(tab)) == session
        assert FilesPage(tab, partial(ada.ask, host=host, cookie=cookie)).download("notes.csv") == NOTES
    assert seen.keys() == {"answered"}


def schema(house: House) -> int:
    with house.database.engine.connect() as connection:
        return int(connection.execute(sql("SELECT number FROM schema_info")).scalar_one())


def ready_images(house: House) -> set[str]:
    path = "jsonpath={range .items[?(@.status.containerStatuses[0].ready==true)]}{.spec.containers[0].image} {end}"
    selector = "app.kubernetes.io/component=hub"
    return set(kubectl("-n", house.release.namespace, "get", "pods", "-l", selector, "-o", path).split())


@contextmanager
def helm(house: House, *arguments: str) -> Iterator[None]:
    """Meanwhile. It ends well, with everything ready."""
    whole = command("helm", *arguments, "-n", house.release.namespace, "--wait", "--timeout", "600s")
    with subprocess.Popen(whole, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        yield
        said, _ = process.communicate()
    assert process.returncode == 0, said


@contextmanager
def people(house: House) -> Iterator[Counter[str]]:
    """Some who click and call all the while; what they were answered."""
    seen: Counter[str] = Counter()
    faults: list[Exception] = []
    stopped = threading.Event()

    def work(somebody: Browser) -> None:
        while not stopped.is_set():
            try:
                click(somebody, seen, stopped)
            except ConnectionClosed:
                continue  # its hub has ended: the browser opens the next socket
            except Exception as fault:  # noqa: BLE001 - whatever it is, the test's own thread raises it
                faults.append(fault)
                return

    threads = [threading.Thread(target=work, args=(house.newcomer(),)) for _ in range(PEOPLE)]
    for thread in threads:
        thread.start()
    try:
        yield seen
    finally:
        stopped.set()
        for thread in threads:
            thread.join(90)
    assert not faults, faults


def click(somebody: Browser, seen: Counter[str], stopped: threading.Event) -> None:
    with somebody.page() as tab:
        while not stopped.wait(0.5):
            assert "Environments" in text(run(tab, "environments"))
            answer = somebody.ask("GET", "/api/v1/me")
            seen["answered" if answer.status_code == 200 else f"{answer.status_code} {answer.text[:300]}"] += 1

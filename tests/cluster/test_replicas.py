"""Three hubs on one PostgreSQL behind two NGINX: all are served, and the loss of the hub that leads costs nobody a socket."""

import os
import re
import socket
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from itertools import count
from typing import Any

import httpx
import pytest
from sqlmodel import select
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

from hub.database import Database
from hub.environments.lease import Lease
from hub.identity.cookies import cookie_name
from hub.identity.model import User
from hub.identity.person import Person
from hub.identity.roles import Role
from hub.identity.sessions import Sessions
from hub.identity.tokens import digest, new_token
from hub.routing.entry import Entries
from hub.settings import Settings
from tests.cluster.installed import Release, installed
from tests.cluster.tools import run as command
from tests.spawners.far_side import until
from tests.support import postgresql
from tests.support.ci import absent
from tests.support.files_page import FilesPage
from tests.support.script_run import run, session_of, text

PEOPLE = 50
RESEARCHERS, FILES = 5, 10
HUBS = 3
_numbers = count()


@dataclass
class House:
    release: Release
    database: Database
    sessions: Sessions
    edges: list[str]
    """The addresses of the NGINX pods, taken by turns as a round-robin edge would."""

    @property
    def host(self) -> str:
        return self.release.url.partition("://")[2]

    @property
    def settings(self) -> Settings:
        return Settings(public_url=self.release.url)

    def newcomer(self) -> "Browser":
        """A person who is logged in."""
        user = User(name=f"person-{next(_numbers)}", display_name="Somebody", role=Role.USER)
        with self.database.writing("test person") as session:
            session.add(user)
        token = self.sessions.open(user.id, "127.0.0.1", "a browser")
        person = self.sessions.resolve(token)
        assert person
        return Browser(self, person, token)

    def leader(self) -> str:
        """The hub that leads, as its lease says: its pod, and the run of it."""
        with self.database.reading() as session:
            lease = session.exec(select(Lease).where(Lease.name == "controller")).first()
        return lease.holder if lease else ""


@dataclass
class Browser:
    """One person's. Each request takes the next NGINX."""

    house: House
    person: Person
    token: str

    def __post_init__(self) -> None:
        self._turn = count(next(_numbers))

    def edge(self) -> str:
        return self.house.edges[next(self._turn) % len(self.house.edges)]

    @property
    def cookie(self) -> str:
        return f"{cookie_name(self.house.settings, 'session')}={self.token}"

    def ask(self, method: str, path: str, host: str = "", cookie: str = "", **more: Any) -> httpx.Response:
        """Of the hub, or of an environment."""
        host = host or self.house.host
        sent = [cookie or self.cookie, *(f"{name}={value}" for name, value in more.pop("cookies", {}).items())]
        headers = {"Host": host, "Cookie": "; ".join(sent), "Origin": f"http://{host}"} | more.pop("headers", {})
        return httpx.request(method, f"http://{self.edge()}:8080{path}", headers=headers, timeout=30, **more)

    @contextmanager
    def page(self, host: str = "", cookie: str = "", *, session: str = "", edge: str = "") -> Iterator[ClientConnection]:
        """A tab: the hub's, or an environment's. `session`: that of a tab which was cut off."""
        host = host or self.house.host
        protocols = ["streamlit", "PLACEHOLDER_AUTH_TOKEN", session] if session else ["streamlit"]
        with connect(
            f"ws://{host}/_stcore/stream",
            sock=socket.create_connection((edge or self.edge(), 8080)),
            additional_headers={"Cookie": cookie or self.cookie},
            origin=Origin(f"http://{host}"),
            subprotocols=[Subprotocol(name) for name in protocols],
            max_size=None,
            proxy=None,
            compression=None,
        ) as tab:
            yield tab

    def launched(self, name: str) -> tuple[str, str]:
        """A running environment: its host, and the cookie with which this person enters it."""
        made = self.ask("POST", "/api/v1/environments", json={"name": name, "profile": "Light"})
        assert made.status_code == 202, made.text
        environment_id = made.json()["id"]
        seen = until(lambda: self._running(environment_id), 120)
        slug = re.sub(r"^https?://([a-z0-9-]+)\..*$", r"\1", seen["address"])
        entries, nonce = Entries(self.house.database, self.house.sessions), new_token()
        entry = entries.redeem(slug, entries.code(self.person, environment_id, digest(nonce)), nonce)[0]
        return f"{slug}.{self.house.host}", f"{cookie_name(self.house.settings, 'entry')}={entry}"

    def _running(self, environment_id: str) -> dict[str, str] | None:
        seen: dict[str, str] = self.ask("GET", f"/api/v1/environments/{environment_id}").json()
        assert seen["phase"] != "failed", seen
        return seen if seen["phase"] == "running" else None


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    programs = postgresql.programs()
    if "CLUSTER" not in os.environ or programs is None:
        absent("Only beside a cluster on this machine can its pods reach a PostgreSQL of the test's")
    node = command("kubectl", "get", "nodes", "-o", "jsonpath={.items[0].status.addresses[?(@.type=='InternalIP')].address}")
    with ExitStack() as stack:
        server = stack.enter_context(postgresql.running(programs, node))
        name = server.create()
        url = f"postgresql://podium@{node}:{postgresql.PORT}/{name}"
        release = stack.enter_context(
            installed(url, hub_replicas=str(HUBS), nginx_autoscaling_enabled="false", nginx_terminationGracePeriodSeconds="5")
        )
        database = Database(server.url(name))
        stack.callback(database.close)
        selector, path = "app.kubernetes.io/component=nginx", "jsonpath={.items[*].status.podIP}"
        edges = command("kubectl", "-n", release.namespace, "get", "pods", "-l", selector, "-o", path).split()
        yield House(release, database, Sessions(database, timedelta(hours=8)), edges)


def test_fifty_people_click_call_and_come_back_through_either_nginx_without_a_single_refusal(house: House) -> None:
    """A tab that was cut off finds its session only at the hub that it was at. Pages of the hub keep no files there."""
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
@pytest.mark.case("R8")
def test_when_the_hub_that_leads_is_killed_another_leads_and_no_environment_loses_a_socket(house: House) -> None:
    ada, bob = house.newcomer(), house.newcomer()
    host, cookie = ada.launched("Long computation")
    with ada.page(host, cookie) as tab:
        assert "Overview" in text(run(tab))
        first = until(house.leader)
        pod = first.partition(" ")[0]
        command("kubectl", "-n", house.release.namespace, "delete", "pod", pod, "--grace-period=0", "--force")
        bob.launched("Launched meanwhile")
        assert "Overview" in text(run(tab))
    until(lambda: house.leader() != first)
    listed = command("kubectl", "-n", house.release.environments, "get", "pods", "-l", "podium/role=environment", "-o", "name")
    assert len(listed.split()) == 2
    until(lambda: pod in ready_hubs(house), 120)


def test_an_upgrade_of_the_hubs_drops_no_socket_of_an_environment(house: House) -> None:
    ada = house.newcomer()
    host, cookie = ada.launched("Over the upgrade")
    with ada.page(host, cookie) as tab:
        session = session_of(run(tab))
        for act in ("restart", "status"):
            command("kubectl", "-n", house.release.namespace, "rollout", act, "statefulset/podium-hub")
        assert "Overview" in text(run(tab))
        assert session_of(run(tab)) == session


def test_a_socket_that_an_ending_nginx_cuts_comes_back_to_its_session_through_another(house: House) -> None:
    ada = house.newcomer()
    host, cookie = ada.launched("Behind NGINX")
    going, staying = house.edges
    namespace = house.release.namespace
    path = f"jsonpath={{.items[?(@.status.podIP=='{going}')].metadata.name}}"
    name = command("kubectl", "-n", namespace, "get", "pods", "-o", path)
    with ada.page(host, cookie, edge=going) as tab:
        session = session_of(run(tab))
        command("kubectl", "-n", namespace, "delete", "pod", name, "--wait=false")
        until(lambda: not answers(going))
        assert "Overview" in text(run(tab))  # what is open goes on until the grace period is over
        with pytest.raises(ConnectionClosed):
            listen(tab)
    with ada.page(host, cookie, session=session, edge=staying) as again:
        assert session_of(run(again)) == session


def listen(tab: ClientConnection) -> None:
    """To all that comes. Raises `ConnectionClosed`, or `TimeoutError` where nothing comes any more."""
    while True:
        tab.recv(60)


def answers(address: str) -> bool:
    try:
        socket.create_connection((address, 8080), 2).close()
    except OSError:
        return False
    return True


def ready_hubs(house: House) -> str:
    path = "jsonpath={range .items[?(@.status.containerStatuses[0].ready==true)]}{.metadata.name} {end}"
    return command("kubectl", "-n", house.release.namespace, "get", "pods", "-l", "app.kubernetes.io/component=hub", "-o", path)

"""Several hubs on one PostgreSQL behind two NGINX, and people who use them by the protocols that browsers speak."""

import contextlib
import os
import re
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

import httpx
from sqlmodel import select
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
from tests.cluster.installed import CHART, RELEASE, Release, installed
from tests.cluster.tools import answers, kubectl
from tests.routing.serving import free_port
from tests.spawners.far_side import until
from tests.support import postgresql
from tests.support.ci import absent

HUBS = 3
T = TypeVar("T")
_numbers = count()


@dataclass
class House:
    release: Release
    database: Database
    sessions: Sessions
    edges: list[str]
    """The addresses of the NGINX pods, taken by turns as a round-robin edge would."""
    patience: float = 0
    """Seconds for which a request that reached no hub is sent again, as an edge and NGINX's own page do."""

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
        return self._reached(lambda: httpx.request(method, f"http://{self.edge()}{path}", headers=headers, timeout=30, **more))

    @contextmanager
    def page(self, host: str = "", cookie: str = "", *, session: str = "", edge: str = "") -> Iterator[ClientConnection]:
        """A tab: the hub's, or an environment's. `session`: that of a tab which was cut off."""
        host = host or self.house.host
        protocols = ["streamlit", "PLACEHOLDER_AUTH_TOKEN", session] if session else ["streamlit"]
        with connect(
            f"ws://{host}/_stcore/stream",
            sock=self._reached(lambda: socket.create_connection(_address(edge or self.edge()))),
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
        made = self.order(name, "Light")
        assert made.status_code == 202, made.text
        environment_id = made.json()["id"]
        seen = until(lambda: self._running(environment_id), 120)
        slug = re.sub(r"^https?://([a-z0-9-]+)\..*$", r"\1", seen["address"])
        entries, nonce = Entries(self.house.database, self.house.sessions), new_token()
        entry = entries.redeem(slug, entries.code(self.person, environment_id, digest(nonce)), nonce)[0]
        return f"{slug}.{self.house.host}", f"{cookie_name(self.house.settings, 'entry')}={entry}"

    def order(self, name: str, profile: str) -> httpx.Response:
        """What the hub answers to a launch."""
        return self.ask("POST", "/api/v1/environments", json={"name": name, "profile": profile})

    def _reached(self, act: Callable[[], T]) -> T:
        """What `act` gives once there is somebody; where there is nobody in the end, what there was."""
        ends = time.monotonic() + self.house.patience
        while time.monotonic() < ends:
            with contextlib.suppress(httpx.ConnectError, ConnectionRefusedError):
                if not is_away(answer := act()):
                    return answer
            time.sleep(0.1)
        return act()

    def _running(self, environment_id: str) -> dict[str, str] | None:
        seen: dict[str, str] = self.ask("GET", f"/api/v1/environments/{environment_id}").json()
        assert seen["phase"] != "failed", seen
        return seen if seen["phase"] == "running" else None


def is_away(answer: object) -> bool:
    """Whether it is the page of an NGINX that found no hub, which loads itself anew."""
    return isinstance(answer, httpx.Response) and answer.headers.get("X-Podium-Door") == "away"


def _address(edge: str) -> tuple[str, int]:
    host, _, port = edge.rpartition(":")
    return host, int(port)


@contextmanager
def built(chart: str = CHART, profiles: Path | None = None, **values: str) -> Iterator[House]:
    """A house of its own, as `installed` makes it."""
    programs = postgresql.programs()
    if "CLUSTER" not in os.environ or programs is None:
        absent("Only beside a cluster on this machine can its pods reach a PostgreSQL of the test's")
    node = kubectl("get", "nodes", "-o", "jsonpath={.items[0].status.addresses[?(@.type=='InternalIP')].address}")
    with ExitStack() as stack:
        server = stack.enter_context(postgresql.running(programs, node, free_port()))
        name = server.create()
        url = f"postgresql://podium@{node}:{server.port}/{name}"
        values = {"hub_replicas": str(HUBS), "nginx_autoscaling_enabled": "false", **values}
        release = stack.enter_context(installed(url, chart, profiles, **values))
        database = Database(server.url(name))
        stack.callback(database.close)
        if (hubs := int(values["hub_replicas"])) > 1:
            reach_all(release, hubs)
        yield House(release, database, Sessions(database, timedelta(hours=8)), edges_of(release))


def reach_all(release: Release, hubs: int) -> None:
    """Each hub has a Service; a node learns of its pod a moment after that is ready, and NGINX goes round it until then."""
    for number in range(hubs):
        service = ("service", f"{RELEASE}-hub-{number}", "-o", "jsonpath={.spec.clusterIP}")
        address = kubectl("-n", release.namespace, "get", *service)
        until(partial(answers, f"{address}:8501"))


def edges_of(release: Release) -> list[str]:
    """Where the pods of NGINX listen now."""
    path = "jsonpath={.items[*].status.podIP}"
    found = kubectl("-n", release.namespace, "get", "pods", "-l", "app.kubernetes.io/component=nginx", "-o", path)
    return [f"{address}:8080" for address in found.split()]

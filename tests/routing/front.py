"""One front door under test, gateway or NGINX, by host or by path, seen as a client sees it."""

import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from hub.environments.model import Environment
from hub.identity.person import Person
from tests.routing.echo import Echo
from tests.routing.world import World

BROWSER = {"Accept": "text/html,application/xhtml+xml", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
"""How a browser asks for a page."""


@dataclass
class Visitor:
    """A person in a browser."""

    token: str
    person: Person


@dataclass
class Front:
    """`pid` is the process whose memory counts: NGINX's master, or this one."""

    world: World
    echo: Echo
    port: int
    kind: str
    pids: tuple[int, ...]
    alice: Visitor
    bob: Visitor
    environments: dict[str, Environment] = field(default_factory=dict)

    @property
    def is_nginx(self) -> bool:
        return self.kind == "nginx"

    @property
    def by_host(self) -> bool:
        return self.world.routing.addresses.by_host

    def host(self, slug: str) -> str:
        return f"{slug}.localhost:{self.port}" if self.by_host else f"localhost:{self.port}"

    def prefix(self, slug: str) -> str:
        return self.world.routing.addresses.prefix(slug)

    def cookie(self, visitor: Visitor, slug: str) -> str:
        return self.world.cookie(visitor.person, visitor.token, self.environments[slug])

    def request(
        self,
        method: str,
        slug: str,
        path: str,
        *,
        cookie: str = "",
        headers: Mapping[str, str] | None = None,
        content: object = None,
    ) -> httpx.Response:
        """A request to an environment's address. `path` is below its prefix."""
        given = {"Host": self.host(slug), **({"Cookie": cookie} if cookie else {}), **(headers or {})}
        with self.client() as client:
            return client.request(method, self.prefix(slug) + path, headers=given, content=content)  # type: ignore[arg-type]

    def get(self, slug: str, path: str, *, cookie: str = "", headers: Mapping[str, str] | None = None) -> httpx.Response:
        return self.request("GET", slug, path, cookie=cookie, headers=headers)

    def hub(
        self, path: str, *, cookie: str = "", headers: Mapping[str, str] | None = None, method: str = "GET"
    ) -> httpx.Response:
        given = {"Host": f"localhost:{self.port}", **({"Cookie": cookie} if cookie else {}), **(headers or {})}
        with self.client() as client:
            return client.request(method, path, headers=given)

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=30, trust_env=False)

    @contextmanager
    def socket(
        self,
        slug: str,
        path: str = "/ws",
        *,
        cookie: str = "",
        headers: Mapping[str, str] | None = None,
        subprotocols: tuple[str, ...] = (),
    ) -> Iterator[ClientConnection]:
        given = {**({"Cookie": cookie} if cookie else {}), **(headers or {})}
        with connect(
            f"ws://{self.host(slug)}{self.prefix(slug)}{path}",
            sock=socket.create_connection(("127.0.0.1", self.port)),
            additional_headers=given,
            subprotocols=[Subprotocol(name) for name in subprotocols] or None,
            max_size=None,
            compression=None,
            proxy=None,
        ) as connection:
            yield connection

    def raw(self, request: bytes) -> tuple[int, bytes]:
        """Bytes as they are; the answer's status (0 where there is none) and all that came."""
        with socket.create_connection(("127.0.0.1", self.port), 10) as connection:
            connection.sendall(request)
            answer = b""
            while chunk := connection.recv(65536):
                answer += chunk
        words = answer.split(b" ", 2)
        return (int(words[1]) if len(words) > 1 and words[1].isdigit() else 0), answer

    def raw_get(self, target: str, host: str, cookie: str = "", extra: str = "") -> tuple[int, bytes]:
        lines = f"GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n"
        lines += f"Cookie: {cookie}\r\n" if cookie else ""
        return self.raw((lines + extra + "\r\n").encode("latin-1"))

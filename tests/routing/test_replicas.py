"""Several hubs behind NGINX: a person stays with one, and goes on with another when that one is gone."""

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from hub.identity.cookies import cookie_name
from hub.settings import Settings
from tests.routing.serving import free_port, listener, nginx, serving

HUBS = 3
SESSION = cookie_name(Settings(), "session")


class Replica:
    """Answers with its number; `asked` counts."""

    def __init__(self, number: int) -> None:
        self.number, self.asked = number, 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            self.asked += 1
            await PlainTextResponse(str(self.number))(scope, receive, send)


class House:
    """Replicas behind NGINX; each may be taken away."""

    def __init__(self, folder: Path) -> None:
        self.replicas = [Replica(number) for number in range(HUBS)]
        self.stacks = [ExitStack() for _ in self.replicas]
        self.ports = [free_port() for _ in self.replicas]
        for number in range(HUBS):
            self.start(number)
        self.port = free_port()
        settings = Settings(port=self.port)
        self.edge = nginx(settings, folder, "c" * 40, *(f"127.0.0.1:{port}" for port in self.ports))

    def start(self, number: int) -> None:
        app: ASGIApp = self.replicas[number]
        self.stacks[number].enter_context(serving(app, listener(port=self.ports[number])))

    def stop(self, number: int) -> None:
        self.stacks[number].close()

    def ask(self, cookie: str = "", address: str = "") -> int:
        headers = {"Host": f"localhost:{self.port}"} | ({"Cookie": cookie} if cookie else {})
        headers |= {"X-Forwarded-For": address} if address else {}
        answer = httpx.get(f"http://127.0.0.1:{self.port}/health", headers=headers)
        assert answer.status_code == 200, answer.text
        return int(answer.text)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    one = House(tmp_path / "nginx")
    with one.edge:
        yield one
    for number in range(HUBS):
        one.stop(number)


def test_a_person_stays_with_one_hub_and_people_are_spread(house: House) -> None:
    cookies = [f"theme=dark; {SESSION}=v{number:042d}; other=1" for number in range(60)]
    first = [house.ask(cookie) for cookie in cookies]
    assert [house.ask(cookie, f"192.0.2.{number}") for number, cookie in enumerate(cookies)] == first
    assert all(count >= 8 for count in Counter(first).values())
    assert len(set(first)) == HUBS


def test_strangers_stay_with_one_hub_by_their_address(house: House) -> None:
    addresses = [f"192.0.2.{number}, 10.0.0.{number % 3}" for number in range(40)]
    assert [house.ask(address=address) for address in addresses] == [
        house.ask(address=address.replace("10.0.0", "10.9.9")) for address in addresses
    ]
    assert len({house.ask(address=address) for address in addresses}) == HUBS


def test_when_a_hub_is_gone_its_people_go_on_with_another_and_nobody_else_moves(house: House) -> None:
    cookies = [f"{SESSION}=v{number:042d}" for number in range(30)]
    before = [house.ask(cookie) for cookie in cookies]
    house.stop(0)
    after = [house.ask(cookie) for cookie in cookies]
    assert set(before) == set(range(HUBS))
    assert 0 not in after
    assert [seen for seen, was in zip(after, before, strict=True) if was != 0] == [was for was in before if was != 0]

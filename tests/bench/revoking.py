"""How long a login that has ended still opens anything, at the gateway and at NGINX: requests, and sockets that are open."""

import http.client
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection

from hub.identity.cookies import cookie_name
from hub.services import Services
from tests.bench.figures import Figure
from tests.bench.ground import Ground, Visitor, connect_streamlit, entry_cookie, run_once
from tests.bench.proxies import HEALTH, nginx, running

LOGINS = 20
HUB, ENVIRONMENT = "hub", "environment"


@dataclass(frozen=True)
class Login:
    """One of a person's logins, and the same person's environment entered with it."""

    session: str
    session_id: str
    entry: str
    visitor: Visitor

    def headers(self, services: Services, where: str) -> dict[str, str]:
        """Host and Cookie for the hub or for the environment."""
        if where == HUB:
            return {
                "Host": f"localhost:{self.visitor.port}",
                "Cookie": f"{cookie_name(services.settings, 'session')}={self.session}",
            }
        return {"Host": self.visitor.host, "Cookie": f"{cookie_name(services.settings, 'entry')}={self.entry}"}


def ended_logins(ground: Ground, folder: Path) -> list[Figure]:
    """The slowest of twenty: until requests are refused, and until open sockets are closed. Ended by another process."""
    visitor = running(ground, "revoked")
    with nginx(ground, folder / "revoking", cached=True) as port, ThreadPoolExecutor(LOGINS * 6) as pool, ExitStack() as stack:
        doors = {"gateway": visitor.port, "NGINX": port}
        logins = [_log_in(ground, visitor) for _ in range(LOGINS)]
        waits: dict[str, list[Callable[[], float]]] = {}
        for login in logins:
            for name, at in doors.items():
                waits.setdefault(f"refused by {name}", []).append(_until_refused(ground, login, at))
                for where in (HUB, ENVIRONMENT):
                    stream = stack.enter_context(_open_socket(ground, login, where, at))
                    waits.setdefault(f"the {where}'s sockets through {name} closed", []).append(_until_closed(stream))
        took = {name: [pool.submit(wait) for wait in those] for name, those in waits.items()}
        for login in logins:
            ground.services.sessions.end(login.session_id, "bench")
        worst = {name: max(one.result() for one in those) for name, those in took.items()}
    ground.stop(visitor)
    limits = {name: 5.0 if name.startswith("refused") else 10.0 for name in worst}
    return [
        Figure(f"login ended until {name}, slowest of {LOGINS}", value, "s", limit=limits[name])
        for name, value in worst.items()
    ]


def _log_in(ground: Ground, visitor: Visitor) -> Login:
    token = ground.services.sessions.open(visitor.person.user_id, "127.0.0.1", "bench")
    person = ground.services.sessions.resolve(token)
    assert person is not None
    return Login(token, person.session_id, entry_cookie(ground.services, person, visitor.view), visitor)


def _open_socket(ground: Ground, login: Login, where: str, port: int) -> ClientConnection:
    headers = login.headers(ground.services, where)
    host = headers.pop("Host")
    stream = connect_streamlit(f"ws://{host}/_stcore/stream", port, headers, f"http://{host}")
    run_once(stream)
    return stream


def _until_closed(stream: ClientConnection) -> Callable[[], float]:
    def wait() -> float:
        began = time.monotonic()
        while time.monotonic() - began < 60:
            try:
                stream.recv(60)
            except ConnectionClosed:
                break
            except TimeoutError:
                continue
        return time.monotonic() - began

    return wait


def _until_refused(ground: Ground, login: Login, port: int) -> Callable[[], float]:
    """An environment's host: 200 while the login counts."""
    headers = login.headers(ground.services, ENVIRONMENT)

    def wait() -> float:
        began = time.monotonic()
        while _status(port, headers) == 200 and time.monotonic() - began < 60:
            time.sleep(0.02)
        return time.monotonic() - began

    assert _status(port, headers) == 200
    return wait


def _status(port: int, headers: dict[str, str]) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", HEALTH, headers=headers)
        return connection.getresponse().status
    finally:
        connection.close()

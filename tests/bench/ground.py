"""What is measured on: a running Podium with people whose browsers are already in, and a plain `streamlit run` beside it."""

import http.client
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

from hub import services as composition
from hub.database import Database
from hub.datafolder import prepare
from hub.environments.launching import LaunchOrder
from hub.environments.model import Phase
from hub.environments.views import EnvironmentView
from hub.far_side import FarSide
from hub.identity.cookies import cookie_name
from hub.identity.model import User
from hub.identity.person import Person
from hub.identity.roles import Role
from hub.identity.tokens import digest, new_token
from hub.routing.entry import Entries
from hub.services import Services
from hub.settings import Settings
from hub.spawners.local import launch
from tests.support.podium import ROOT, Podium, installed

APP = ROOT / "user-environment" / "app" / "main.py"
ENVIRONMENT_BIN = ROOT / "user-environment" / ".venv" / "bin"
PATIENCE = 60


@dataclass
class Visitor:
    """A person's browser that has entered an environment's host: its cookie and its Host header."""

    person: Person
    session: str
    view: EnvironmentView
    port: int
    cookie: str

    @property
    def host(self) -> str:
        return f"{self.view.slug}.localhost:{self.port}"

    def ask(self, method: str, path: str, body: bytes | None = None) -> int:
        """One request through the gateway; the status."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request(method, path, body, {"Host": self.host, "Cookie": self.cookie, "Origin": f"http://{self.host}"})
            return connection.getresponse().status
        finally:
            connection.close()

    def socket(self) -> ClientConnection:
        """A WebSocket to the environment's Streamlit, through the gateway."""
        headers = {"Cookie": self.cookie}
        return connect_streamlit(f"ws://{self.host}/_stcore/stream", self.port, headers, f"http://{self.host}")


@dataclass
class Ground:
    podium: Podium
    services: Services

    @classmethod
    @contextmanager
    def made(cls, folder: Path, **variables: str) -> Iterator[Self]:
        folder.mkdir(parents=True)
        given = {f"PODIUM_{name.upper()}": value for name, value in variables.items()}
        with installed(folder, {"PODIUM_MAX_USER_PODS": "100", **given}) as podium, ExitStack() as stack:
            settings = Settings(data_dir=folder / "data", port=podium.port, max_user_pods=100)
            database = Database(settings.database)
            stack.callback(database.close)
            data = prepare(settings.data_dir)
            yield cls(podium, composition.build(settings, data, database, FarSide("local", launch.connect(settings), str)))

    def visitor(self, name: str, environment: str = "bench") -> Visitor:
        """A new person with a stopped environment, whose browser is in."""
        user = User(name=name, display_name=name, role=Role.USER)
        with self.services.database.writing("bench user") as session:
            session.add(user)
        token = self.services.sessions.open(user.id, "127.0.0.1", "bench")
        person = self.services.sessions.resolve(token)
        assert person is not None
        return self.entered(person, token, environment)

    def entered(self, person: Person, token: str, environment: str) -> Visitor:
        view = self.services.environments.launch(person, LaunchOrder(environment, "Light"))
        self.services.environments.stop(person, view.id)
        self.until(person, view, Phase.STOPPED)
        cookie = f"{cookie_name(self.services.settings, 'entry')}={entry_cookie(self.services, person, view)}"
        return Visitor(person, token, view, self.podium.port, cookie)

    def until(self, person: Person, view: EnvironmentView, phase: Phase) -> EnvironmentView:
        deadline = time.monotonic() + PATIENCE
        while (seen := self.services.environments.get(person, view.id)).phase is not phase:
            assert time.monotonic() < deadline, seen
            time.sleep(0.02)
        return seen

    def stop(self, visitor: Visitor) -> None:
        self.services.environments.stop(visitor.person, visitor.view.id)
        self.until(visitor.person, visitor.view, Phase.STOPPED)


def entry_cookie(services: Services, person: Person, view: EnvironmentView) -> str:
    """The value of the cookie with which that login enters that environment."""
    entries, nonce = Entries(services.database, services.sessions), new_token()
    return entries.redeem(view.slug, entries.code(person, view.id, digest(nonce)), nonce)[0]


def connect_streamlit(url: str, port: int, headers: dict[str, str], origin: str) -> ClientConnection:
    """Connect as soon as it is possible."""
    deadline = time.monotonic() + PATIENCE
    while True:
        with suppress(OSError, WebSocketException):
            return _connected(url, port, headers, origin)
        assert time.monotonic() < deadline, f"{url} lets nobody in"
        time.sleep(0.005)


def _connected(url: str, port: int, headers: dict[str, str], origin: str) -> ClientConnection:
    with ExitStack() as stack:
        raw = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
        stream = connect(
            url,
            sock=raw,
            additional_headers=headers,
            origin=Origin(origin),
            max_size=None,
            proxy=None,
            legacy=True,
            subprotocols=[Subprotocol("streamlit")],
            compression=None,
        )
        stack.pop_all()
        return stream


def run_once(stream: ClientConnection) -> None:
    """Run the first page's script to its end."""
    message = BackMsg()
    message.rerun_script.query_string = ""
    stream.send(message.SerializeToString())
    answer = ForwardMsg()
    while answer.WhichOneof("type") != "script_finished":
        data = stream.recv(PATIENCE)
        assert isinstance(data, bytes)
        answer.ParseFromString(data)


@contextmanager
def streamlit_run(workspace: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """The shipped app under plain `streamlit run`, which has all cores, where an environment may have some alone."""
    command = [str(ENVIRONMENT_BIN / "streamlit"), "run", str(APP), "--server.port", str(port), "--server.headless", "true"]
    command += ["--server.fileWatcherType", "none", "--browser.gatherUsageStats", "false", "--server.address", "127.0.0.1"]
    variables = {"PATH": os.environ["PATH"], "HOME": str(workspace), "WORKSPACE_DIR": str(workspace)}
    process = subprocess.Popen(command, env=variables, cwd=workspace, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(20)

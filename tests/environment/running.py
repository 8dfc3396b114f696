"""A real environment server in a process of its own, and ways to talk to it."""

import json
import secrets
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from websockets.sync.client import ClientConnection, connect, unix_connect

from tests.environment.signing import ASSERTION, CONTROL, Signer, claims, order

ROOT = Path(__file__).resolve().parents[2] / "user-environment"
PYTHON = ROOT / ".venv" / "bin" / "python"
APP = ROOT / "app" / "main.py"
START_SECONDS = 60
HOST = "demo.localhost:8501"

PLAIN_SCRIPT = 'import streamlit as st\nst.write("user:", st.user.to_dict())\nst.write("cookies:", dict(st.context.cookies))\n'


@dataclass
class Environment:
    """A running environment. `address` is a socket's path or `host:port`."""

    process: subprocess.Popen[str]
    start_id: str
    signer: Signer
    workspace: Path
    log: Path
    address: str

    def token(self, **changed: Any) -> str:
        return self.signer.sign(ASSERTION, claims(self.start_id, **changed))

    def client(self, token: str | None = None, **headers: str) -> httpx.Client:
        """With an assertion of its own unless another one, or an empty one for none, is given."""
        sent = {"Host": HOST, **headers}
        given = self.token() if token is None else token
        if given:
            sent["X-Podium-Assertion"] = given
        if ":" in self.address:
            return httpx.Client(base_url=f"http://{self.address}", headers=sent, timeout=30)
        return httpx.Client(
            transport=httpx.HTTPTransport(uds=self.address), base_url="http://environment", headers=sent, timeout=30
        )

    def get(self, path: str, token: str | None = None, **headers: str) -> httpx.Response:
        with self.client(token, **headers) as client:
            return client.get(path)

    def order(self, *, message: str | None = None, **changed: Any) -> httpx.Response:
        """Send a control message; by default a right one with these claims changed."""
        text = self.signer.sign(CONTROL, order(self.start_id, **changed)) if message is None else message
        with self.client("") as client:
            return client.post("/_podium/control", content=text)

    def socket(
        self, token: str | None = None, *, origin: str | None = f"http://{HOST}", path: str = "/_stcore/stream"
    ) -> ClientConnection:
        given = self.token() if token is None else token
        headers = {"X-Podium-Assertion": given} if given else {}
        options: Any = {"additional_headers": headers, "origin": origin, "subprotocols": ["streamlit"]}
        options |= {"max_size": None, "legacy": True}
        opened: ClientConnection
        if ":" in self.address:
            opened = connect(f"ws://{self.address}{path}", **options)
        else:
            opened = unix_connect(self.address, uri=f"ws://{HOST}{path}", **options)
        return opened


@contextmanager
def connected(environment: Environment, **claims: Any) -> Iterator[ClientConnection]:
    """A socket to its Streamlit, with an assertion in which these claims are changed."""
    socket = environment.socket(environment.token(**claims))
    try:
        yield socket
    finally:
        socket.close()


@contextmanager
def environment(
    folder: Path, script: Path, signer: Signer | None = None, *, tcp: bool = False, **changed: Any
) -> Iterator[Environment]:
    """Start one on a Unix socket (or a port that the kernel chooses) and end it afterwards."""
    signer = signer or Signer()
    workspace = folder / "workspace"
    workspace.mkdir(parents=True, exist_ok=True)
    log = folder / "log"
    with tempfile.TemporaryDirectory(prefix="podium-") as sockets:
        spec = {
            "start_id": secrets.token_hex(8),
            "environment_id": "environment-1",
            "workspace": str(workspace),
            "script": str(script),
            "keys": [signer.jwk],
            "name": "Demo",
            **({"port": 0} if tcp else {"socket": f"{sockets}/s"}),
            **changed,
        }
        (folder / "spec.json").write_text(json.dumps(spec))
        with started(folder / "spec.json", log) as process:
            address = _port(process, log) if tcp else str(spec["socket"])
            running = Environment(process, spec["start_id"], signer, workspace, log, address)
            wait_until_healthy(running)
            yield running


@contextmanager
def started(spec: Path, log: Path) -> Iterator[subprocess.Popen[str]]:
    with log.open("w") as output:
        process = subprocess.Popen(
            [PYTHON, "-m", "environment.server", spec], cwd=ROOT, stdout=output, stderr=subprocess.STDOUT, text=True
        )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(20)


def wait_until_healthy(running: Environment) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        assert running.process.poll() is None, running.log.read_text()
        if _listens(running.address):
            assert running.get("/_podium/health", "").json() == {"start": running.start_id}
            return
        time.sleep(0.05)
    raise AssertionError(running.log.read_text())


def _listens(address: str) -> bool:
    host, _, port = address.rpartition(":")
    with socket.socket(socket.AF_INET if port.isdigit() else socket.AF_UNIX) as probe:
        return probe.connect_ex((host, int(port)) if port.isdigit() else address) == 0


def _port(process: subprocess.Popen[str], log: Path) -> str:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        for line in log.read_text().splitlines():
            if line.startswith("listening on "):
                return line.removeprefix("listening on ")
        time.sleep(0.05)
    raise AssertionError(log.read_text())

"""What somebody with a browser's cookies, but not bound by a browser's rules, gets from an address; and what runs behind it."""

import json
import socket
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psutil
from playwright.sync_api import BrowserContext
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin, Subprotocol


def cookies(context: BrowserContext, address: str) -> str:
    """The Cookie header that the browser sends to an address."""
    return "; ".join(f"{cookie.get('name')}={cookie.get('value')}" for cookie in context.cookies(address))


def http(address: str, cookie: str) -> int:
    """The status of a plain request."""
    parts = urlsplit(address)
    asked = f"http://127.0.0.1:{parts.port}{parts.path or '/'}"
    return httpx.get(asked, headers={"host": parts.netloc, "cookie": cookie}, timeout=30).status_code


def websocket(address: str, cookie: str) -> int:
    """The status of a WebSocket's handshake with Streamlit, 101 where it is let in."""
    parts = urlsplit(address)
    try:
        with connect(
            f"ws://{parts.netloc}/_stcore/stream",
            sock=socket.create_connection(("127.0.0.1", parts.port or 80), 30),
            origin=Origin(f"http://{parts.netloc}"),
            additional_headers={"cookie": cookie},
            subprotocols=[Subprotocol("streamlit")],
        ):
            return 101
    except InvalidStatus as refused:
        return refused.response.status_code


def servers(data: Path, name: str) -> list[psutil.Process]:
    """The processes that serve environments of this name now: what their supervisors have started."""
    return [child for path in data.glob("starts/*/supervisor.json") if _name(path) == name for child in _below(path)]


def _name(supervisor: Path) -> str:
    spec = json.loads(supervisor.with_name("spec.json").read_text())
    return str(spec["variables"]["ENV_NAME"])


def _below(supervisor: Path) -> list[psutil.Process]:
    """A supervisor works in its start's folder; a process that has got its number later does not."""
    try:
        named = json.loads(supervisor.read_text())
        process = psutil.Process(named["pid"])
        below = process.children() if Path(process.cwd()) == supervisor.parent.resolve() else []
        return [child for child in below if child.pid == named["server"]]
    except psutil.Error:
        return []

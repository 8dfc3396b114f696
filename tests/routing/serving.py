"""Real servers for tests: Uvicorn in a thread, NGINX as a process of its own."""

import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from hub.routing.nginx import NginxOptions, render
from hub.routing.strict_http import StrictHttp
from hub.settings import Settings
from tests.support.ci import absent

PATIENCE = 20.0


def until(condition: Callable[[], object], seconds: float = PATIENCE) -> None:
    """Wait until the condition holds; fails the test where it never does."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


def listener(path: Path | None = None, port: int = 0) -> socket.socket:
    """A bound socket: at a path, or at a port of the kernel's choice (or one that was chosen before)."""
    if path is None:
        bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(("127.0.0.1", port))
        return bound
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    bound.bind(str(path))
    return bound


@contextmanager
def serving(app: ASGIApp, bound: socket.socket, *, ping: float | None = 30) -> Iterator[uvicorn.Server]:
    """Serve as the hub and environments do."""
    config = uvicorn.Config(
        app,
        http=StrictHttp,
        ws="websockets-sansio",
        ws_max_size=200 * 1024 * 1024,
        ws_per_message_deflate=False,
        ws_ping_interval=ping,
        ws_ping_timeout=ping,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([bound],), daemon=True)
    thread.start()
    try:
        until(lambda: server.started)
        yield server
    finally:
        server.should_exit = True
        thread.join(PATIENCE)
        bound.close()
        assert not thread.is_alive()


@contextmanager
def nginx(
    settings: Settings, folder: Path, credential: str, *hubs: str, trusted: tuple[str, ...] = ()
) -> Iterator[tuple[int, int]]:
    """NGINX with Podium's configuration: its port, and its process id."""
    port = settings.port
    options = NginxOptions(
        settings, folder, (f"127.0.0.1:{port}",), hubs, credential, user=nginx_user(), workers="1", trusted=trusted
    )
    with nginx_with(render(options), folder, port) as pid:
        yield port, pid


def nginx_user() -> str | None:
    """Whom NGINX's workers run as, so that they may open what the test has made."""
    return "root" if os.geteuid() == 0 else None


@contextmanager
def nginx_with(text: str, folder: Path, port: int) -> Iterator[int]:
    """NGINX with that configuration, which listens on `port`: its process id."""
    if shutil.which("nginx") is None:
        absent("NGINX is not installed (Debian: apt-get install nginx-light)")
    (folder / "tmp").mkdir(parents=True)
    configuration = folder / "nginx.conf"
    configuration.write_text(text)
    with (folder / "log").open("wb") as log:
        command = ["nginx", "-e", "stderr", "-p", str(folder), "-c", str(configuration)]
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder)
    try:
        until(lambda: process.poll() is not None or _answers(port))
        assert process.poll() is None, (folder / "log").read_text()
        yield process.pid
    finally:
        process.terminate()
        process.wait(PATIENCE)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), 1):
            return True
    except OSError:
        return False

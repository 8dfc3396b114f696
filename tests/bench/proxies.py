"""What the gateway adds to a request and to the hub's memory, and what NGINX carries with and without its cached answer."""

import asyncio
import http.client
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from statistics import median

import psutil
from playwright.sync_api import Browser

from hub.routing.assertion import HEADER, make
from hub.routing.nginx import NginxOptions, render
from tests.bench.figures import Figure
from tests.bench.ground import Ground, Visitor
from tests.browser.people import Person, upload

REQUESTS = 400
CONNECTIONS = 16
SECONDS = 5.0
HEALTH = "/_stcore/health"
LARGE = 200 * 10**6


class UnixHTTPConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost")
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self._path)


def gateway_latency(ground: Ground) -> Figure:
    """The median of a health request through the gateway, less that of the same one to the environment itself."""
    visitor = running(ground, "latency")
    view = ground.services.environments.get(visitor.person, visitor.view.id)
    direct = UnixHTTPConnection((view.upstream or "").removeprefix("unix:"))
    through = http.client.HTTPConnection("127.0.0.1", visitor.port)
    through.connect()
    through.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    token = make(ground.services.keys, view.key_id or "", view.start_id or "", visitor.person).token
    there, around = [], []
    for _ in range(REQUESTS):
        there.append(timed(direct, {"Host": visitor.host, HEADER: token}))
        around.append(timed(through, {"Host": visitor.host, "Cookie": visitor.cookie}))
    for connection in (direct, through):
        connection.close()
    ground.stop(visitor)
    added = (median(around) - median(there)) * 1000
    return Figure("added by the gateway to a request, p50", added, "ms", median(there) * 1000, "without the gateway", limit=2)


def timed(connection: http.client.HTTPConnection, headers: dict[str, str]) -> float:
    began = time.perf_counter()
    connection.request("GET", HEALTH, headers=headers)
    answer = connection.getresponse()
    assert answer.read().strip() == b"ok", answer.status
    return time.perf_counter() - began


def running(ground: Ground, name: str) -> Visitor:
    """Somebody whose environment has run its script once."""
    visitor = ground.visitor(name)
    assert visitor.ask("POST", "/_podium/launch", b"next=/") == 303
    visitor.socket().close()
    return visitor


def upload_memory(ground: Ground, browser: Browser, folder: Path) -> Figure:
    """How much the hub's memory grows at most while a browser uploads 200 MB into an environment."""
    visitor = running(ground, "uploader")
    large = folder / "large.bin"
    with large.open("wb") as stream:
        stream.truncate(LARGE)
    context = browser.new_context()
    name, value = visitor.cookie.split("=", 1)
    address = ground.services.addresses.environment(visitor.view.slug, visitor.view.cluster_id)
    context.add_cookies(
        [{"name": name, "value": value, "url": address.replace("http:", "https:"), "httpOnly": True, "secure": True}]
    )
    person = Person(context, context.new_page(), ground.podium.url)
    person.hub.goto(address)
    person.hub.get_by_role("link", name="Files").wait_for()
    with peak(ground) as grown:
        upload(person.hub, large)
    context.close()
    ground.stop(visitor)
    return Figure("growth of the hub's memory by a 200 MB upload", max(grown) / 1e6, "MB", limit=20)


@contextmanager
def peak(ground: Ground) -> Iterator[list[int]]:
    """Collects by how much the hub's memory exceeds what it was at the beginning."""
    assert ground.podium.process is not None
    hub = psutil.Process(ground.podium.process.pid)
    first, grown = hub.memory_info().rss, [0]
    done = threading.Event()

    def sample() -> None:
        while not done.wait(0.02):
            grown.append(hub.memory_info().rss - first)

    thread = threading.Thread(target=sample)
    thread.start()
    try:
        yield grown
    finally:
        done.set()
        thread.join()


def nginx_rates(ground: Ground, folder: Path) -> list[Figure]:
    """Requests each second to one environment through NGINX, the hub's answer cached for 3 s and asked for each time."""
    visitor = running(ground, "nginx")
    figures = []
    for name, cached in (("with the cached answer", True), ("asking for each request", False)):
        with nginx(ground, folder / name.replace(" ", "-"), cached=cached) as port:
            rate = measured(port, visitor)
        figures.append(Figure(f"NGINX {name}", rate, "requests/s"))
    gateway = measured(visitor.port, visitor)
    ground.stop(visitor)
    return [replace(figure, baseline=gateway, baseline_name="embedded gateway") for figure in figures]


@contextmanager
def nginx(ground: Ground, folder: Path, *, cached: bool) -> Iterator[int]:
    """A real NGINX in front of the hub, on a port of its own."""
    (folder / "tmp").mkdir(parents=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    options = NginxOptions(
        ground.services.settings, folder, (f"127.0.0.1:{port}",), (f"127.0.0.1:{ground.podium.port}",),
        ground.services.credential,
        user="root" if os.getuid() == 0 else None, workers="1",
    )  # fmt: skip
    configuration = render(options)
    if not cached:
        configuration = configuration.replace("proxy_cache podium_authorize;", "proxy_cache off;")
    (folder / "nginx.conf").write_text(configuration)
    program = shutil.which("nginx") or "/usr/sbin/nginx"
    process = subprocess.Popen([program, "-c", folder / "nginx.conf"], stderr=subprocess.DEVNULL)
    try:
        _until_it_serves(port)
        yield port
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def measured(port: int, visitor: Visitor) -> float:
    """In a thread of its own: Playwright has an event loop in this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(lambda: asyncio.run(rate_of(port, visitor))).result()


async def rate_of(port: int, visitor: Visitor) -> float:
    """Answers each second on `CONNECTIONS` kept-alive connections."""
    request = f"GET {HEALTH} HTTP/1.1\r\nHost: {visitor.host}\r\nCookie: {visitor.cookie}\r\n\r\n".encode()
    began = time.monotonic()
    counts = await asyncio.gather(*(_ask_again_and_again(port, request, began + SECONDS) for _ in range(CONNECTIONS)))
    return sum(counts) / (time.monotonic() - began)


async def _ask_again_and_again(port: int, request: bytes, until: float) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    count = 0
    while time.monotonic() < until:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), head
        if b"content-length: " in (lowered := head.lower()):
            await reader.readexactly(int(lowered.split(b"content-length: ")[1].split(b"\r\n")[0]))
        else:
            await reader.readuntil(b"0\r\n\r\n")
        count += 1
    writer.close()
    await writer.wait_closed()
    return count


def _until_it_serves(port: int) -> None:
    """Its port takes connections before a worker is there to answer them."""
    for _ in range(500):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        with suppress(OSError, http.client.HTTPException), closing(connection):
            connection.request("GET", "/")
            connection.getresponse().read()
            return
        time.sleep(0.01)
    raise TimeoutError(port)

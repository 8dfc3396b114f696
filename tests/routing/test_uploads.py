"""Large bodies pass in both directions without being held in memory."""

import socket
import threading
from collections.abc import Iterator
from typing import Self

import psutil
import pytest

from tests.routing.front import Front

MB = 1_000_000
SIZE = 200 * MB


class Peak:
    """The most memory that the processes used beyond what they began with, looked at all the time."""

    def __init__(self, pids: tuple[int, ...]) -> None:
        self._processes = [psutil.Process(pid) for pid in pids]
        self._before = self._now()
        self._most = self._before
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    @property
    def growth(self) -> int:
        return self._most - self._before

    def _watch(self) -> None:
        while not self._done.wait(0.01):
            self._most = max(self._most, self._now())

    def _now(self) -> int:
        return sum(process.memory_info().rss for process in self._processes)


def _chunks() -> Iterator[bytes]:
    chunk = b"u" * 100_000
    for _ in range(SIZE // len(chunk)):
        yield chunk


@pytest.mark.parametrize("length", [True, False], ids=["with-length", "chunked"])
def test_an_upload_of_200_mb_is_not_held_in_memory(front: Front, length: bool) -> None:  # noqa: FBT001
    """Client, gateway and environment are one process here, and even so it stays below 20 MB."""
    cookie = front.cookie(front.alice, "calm-heron")
    own = {"Sec-Fetch-Site": "same-origin", **({"Content-Length": str(SIZE)} if length else {})}
    front.request("PUT", "calm-heron", "/upload", cookie=cookie, headers={"Sec-Fetch-Site": "same-origin"}, content=b"warm")
    with Peak(front.pids) as peak:
        response = front.request("PUT", "calm-heron", "/upload", cookie=cookie, headers=own, content=_chunks())
    assert response.json() == {"received": SIZE}
    assert peak.growth < 20 * MB


def test_a_download_of_200_mb_is_not_held_in_memory(front: Front) -> None:
    headers = {"Host": front.host("calm-heron"), "Cookie": front.cookie(front.alice, "calm-heron")}
    path = f"{front.prefix('calm-heron')}/bytes/{SIZE}"
    received = 0
    with Peak(front.pids) as peak, front.client() as client, client.stream("GET", path, headers=headers) as response:
        for chunk in response.iter_bytes():
            received += len(chunk)
    assert received == SIZE
    assert peak.growth < 20 * MB


def test_an_upload_that_breaks_off_harms_nothing(front: Front) -> None:
    cookie = front.cookie(front.alice, "calm-heron")
    head = (
        f"PUT {front.prefix('calm-heron')}/upload HTTP/1.1\r\nHost: {front.host('calm-heron')}\r\nCookie: {cookie}\r\n"
        "Sec-Fetch-Site: same-origin\r\nContent-Length: 1000000\r\nConnection: close\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", front.port)) as connection:
        connection.sendall(head.encode() + b"only this")
    assert front.get("calm-heron", "/echo", cookie=cookie).status_code == 200

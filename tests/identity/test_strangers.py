"""What a stranger's connections cost the hub: no memory, no place, and no answer that is kept for something else."""

import socket
import time
import zlib

import psutil
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

from hub.routing import strict_http
from tests.identity.conftest import Hub, browse, register
from tests.routing.serving import listener, serving

LARGE = 100 * 2**20


def memory(hub: Hub) -> int:
    """Of the hub's process, which listens at its port."""
    [pid] = {
        one.pid for one in psutil.net_connections("tcp") if one.laddr and one.laddr.port == hub.port and one.status == "LISTEN"
    }
    return int(psutil.Process(pid or 0).memory_info().rss)


def bomb() -> bytes:
    """One compressed frame of a WebSocket that is 100 MB of zeros, and not the last of its message."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -12)
    body = packer.compress(bytes(LARGE)) + packer.flush(zlib.Z_SYNC_FLUSH)
    return bytes([0x42, 0x80 | 127]) + len(body).to_bytes(8) + bytes(4) + body


def test_a_compressed_frame_of_a_stranger_is_never_unpacked(hub: Hub) -> None:
    before = memory(hub)
    with socket.create_connection(("127.0.0.1", hub.port), 10) as connection:
        connection.sendall(
            f"GET /_stcore/stream HTTP/1.1\r\nHost: localhost:{hub.port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: streamlit\r\n"
            "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n".encode()
        )
        head = connection.recv(4096)
        assert b" 101 " in head
        assert b"permessage-deflate" not in head
        connection.sendall(bomb())
        while connection.recv(4096):
            pass
    assert memory(hub) - before < LARGE // 4


def test_a_frame_above_what_streamlit_takes_closes_the_socket(hub: Hub) -> None:
    url = f"ws://localhost:{hub.port}/_stcore/stream"
    origin, protocols = Origin(hub.url), [Subprotocol("streamlit")]
    with connect(url, origin=origin, subprotocols=protocols, max_size=None) as stream, pytest.raises(ConnectionClosed):
        send_and_listen(stream, bytes(27 * 2**20))


def send_and_listen(stream: ClientConnection, frame: bytes) -> None:
    stream.send(frame)
    while True:
        stream.recv(timeout=20)


@pytest.mark.parametrize("logged_in", [False, True])
def test_no_page_of_the_hub_takes_a_file(hub: Hub, *, logged_in: bool) -> None:
    cookies = f"__Host-podium={browse(hub.identity, register(hub.identity, 'uploader').name)[0]}" if logged_in else "x=y"
    with hub.client() as client:
        answer = client.put("/_stcore/upload_file/session/file", content=b"x" * 1000, headers={"cookie": cookies})
    assert answer.status_code == 404


@pytest.mark.parametrize("path", ["/static/js/index.NEXTREL1.js", "/static/", "/static/js/", "/static/nothing.css"])
def test_a_file_that_streamlit_does_not_have_is_not_its_page(hub: Hub, path: str) -> None:
    with hub.client() as client:
        answer = client.get(path)
    assert answer.status_code == 404
    assert "immutable" not in answer.headers.get("cache-control", "")


def test_the_files_that_it_has_are_there(hub: Hub) -> None:
    with hub.client() as client:
        page = client.get("/login").text
        script = next(part for part in page.split('"') if part.lstrip("./").startswith("static/js/index."))
        assert "javascript" in client.get("/" + script.lstrip("./")).headers["content-type"]


def test_who_connects_and_asks_nothing_does_not_keep_the_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a server of this process, whose patience can be made short."""
    monkeypatch.setattr(strict_http, "SILENT_SECONDS", 0.3)

    async def app(_scope: object, _receive: object, _send: object) -> None:
        raise AssertionError

    bound = listener()
    with serving(app, bound), socket.create_connection(bound.getsockname(), 10) as silent:
        began = time.monotonic()
        assert silent.recv(1) == b""
        assert time.monotonic() - began < 9

"""The listener: answers without Nagle's delay, and a taken port is one clear sentence."""

import asyncio
import socket

import pytest

from hub.errors import CannotStart
from hub.server import listen


def test_accepted_connections_send_small_answers_at_once() -> None:
    async def nodelay() -> int:
        accepted: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            accepted.set_result(writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()

        listener = listen("127.0.0.1", 0)
        async with await asyncio.start_server(serve, sock=listener):
            _reader, writer = await asyncio.open_connection(*listener.getsockname())
            value = await accepted
            writer.close()
            await writer.wait_closed()
        return value

    assert asyncio.run(nodelay()) == 1


def test_a_taken_port_is_one_sentence() -> None:
    with listen("127.0.0.1", 0) as first, pytest.raises(CannotStart, match=r"Port \d+ is taken by another program.*with PORT"):
        listen("127.0.0.1", first.getsockname()[1])


def test_an_address_of_another_machine_is_one_sentence() -> None:
    with pytest.raises(CannotStart, match=r"cannot listen on 203.0.113.1 port 0: .*Check HOST and PORT"):
        listen("203.0.113.1", 0)

"""A port of the loopback that leads to an address which this machine reaches: quicker than `kubectl port-forward`."""

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_PART = 1 << 16


@contextmanager
def relay(port: int, host: str, its_port: int) -> Iterator[None]:
    """From that port of the loopback, by IPv4 and IPv6."""
    loop = asyncio.new_event_loop()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            its_reader, its_writer = await asyncio.open_connection(host, its_port)
            await asyncio.gather(_pass_on(reader, its_writer), _pass_on(its_reader, writer))

    server = loop.run_until_complete(asyncio.start_server(serve, ("127.0.0.1", "::1"), port))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.run_until_complete(_end_all())
        loop.close()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while part := await reader.read(_PART):
            writer.write(part)
            await writer.drain()
    writer.close()


async def _end_all() -> None:
    left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)

"""Asks a server on a Unix socket whether it is the start that was ordered, and up."""

import asyncio
import contextlib
import json

_REQUEST = b"GET /_podium/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
_LONGEST_ANSWER = 65536
_PATIENCE = 2.0
_LONGEST_PAUSE = 0.25


async def until_healthy(socket: str, start_id: str) -> None:
    """Returns when the server answers with its own start id; asks less often as time goes by."""
    pause = 0.01
    while not await _is_healthy(socket, start_id):
        await asyncio.sleep(pause)
        pause = min(pause * 1.2, _LONGEST_PAUSE)


async def _is_healthy(socket: str, start_id: str) -> bool:
    try:
        async with asyncio.timeout(_PATIENCE):
            answer = await _ask(socket)
    except (OSError, TimeoutError):
        return False
    head, _, body = answer.partition(b"\r\n\r\n")
    return head.split(b" ")[1:2] == [b"200"] and _start_named(body) == start_id


async def _ask(socket: str) -> bytes:
    reader, writer = await asyncio.open_unix_connection(socket)
    try:
        writer.write(_REQUEST)
        return await _whole(reader)
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def _whole(reader: asyncio.StreamReader) -> bytes:
    """All that is answered before the connection closes; of an endless answer the beginning."""
    answer = b""
    while len(answer) < _LONGEST_ANSWER and (part := await reader.read(_LONGEST_ANSWER)):
        answer += part
    return answer


def _start_named(body: bytes) -> str | None:
    """The start id in the answer; chunks, where the server sends such, are tolerated."""
    begin, end = body.find(b"{"), body.rfind(b"}")
    try:
        named = json.loads(body[begin : end + 1])
    except (ValueError, RecursionError):
        return None
    return named.get("start") if isinstance(named, dict) else None

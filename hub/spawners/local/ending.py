"""The end of a start as its follower sees to it: the supervisor is told, and what it leaves in its namespace is waited for."""

import asyncio
import logging
import signal
from collections.abc import Mapping

from hub.spawners.local.processes import Process
from hub.spawners.local.start import Start

log = logging.getLogger(__name__)

_SWEPT_WITHIN = 5
_ENDS_WITHIN = 15
"""Seconds from the order to stop: a supervisor gives what is below it five, and then it waits until the kernel has ended it."""


async def pass_on_stop(start: Start, process: Process) -> None:
    """A supervisor that somebody has halted is woken too, or it would never hear. One that still does not end is killed."""
    await start.told_to_stop.wait()
    process.send(signal.SIGTERM)
    process.send(signal.SIGCONT)
    await asyncio.sleep(_ENDS_WITHIN)
    log.error("the supervisor of the start %s did not end within %s seconds: it is killed", start.id, _ENDS_WITHIN)
    process.send(signal.SIGKILL)


async def end_of(first: Mapping[str, int]) -> None:
    """Of the first process in an environment's namespace: with its supervisor, once the kernel has ended all others there."""
    process = Process.found(first["pid"], first["start_time"])
    if process is None:
        return
    try:
        async with asyncio.timeout(_SWEPT_WITHIN):
            await process.ended.wait()
    except TimeoutError:
        log.exception("the first process %s of an environment does not end", process.pid)
    finally:
        process.close()

"""The end of a start as its follower sees to it: the supervisor is told, what it leaves is ended, and how it ended recorded."""

import asyncio
import logging
import signal
from collections.abc import Callable, Mapping
from typing import Any

from hub.spawners.base import Ending
from hub.spawners.local.processes import Process, is_this_boot
from hub.spawners.local.records import read_json
from hub.spawners.local.start import Start
from hub.spawners.local.workspaces import Workspaces

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


async def record_for_the_dead(
    start: Start, named: Mapping[str, Any], workspaces: Workspaces, is_alone: Callable[[Start], bool]
) -> None:
    """The supervisor is gone and could not write: the machine restarted, or somebody killed it. Raises OSError.

    `is_alone`: whether the start has its workspace for itself.
    """
    told = read_json(start.folder.stop)
    if not is_this_boot(named["boot_id"]):
        start.write_exit(Ending(told["why"]) if told else Ending.LOST, "The machine restarted.")
        return
    if first := named.get("first"):
        await _end_of(first)
    if left := await asyncio.to_thread(workspaces.end_leftovers, start, alone=is_alone(start)):
        log.error("%s processes of the start %s cannot be ended", left, start.id)
    start.remove_group()
    start.write_exit(Ending(told["why"]) if told else Ending.KILLED, "The process that supervised it was killed.")


async def _end_of(first: Mapping[str, int]) -> None:
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

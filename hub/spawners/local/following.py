"""Brings one start from its order to its end, or goes on with it after a restart of the agent.

What is in the start's folder decides each step: an exit record ends it, a supervisor's name is
looked for among the processes, and a folder with a spec alone is asked for (again). The start's
lock keeps two supervisors from ever having one start, so asking once too often does no harm.
"""

import asyncio
import os
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from hub.spawners.base import Ending
from hub.spawners.local.ending import pass_on_stop, record_for_the_dead
from hub.spawners.local.health import until_healthy
from hub.spawners.local.holders import HELD, Holders
from hub.spawners.local.isolation import Isolation
from hub.spawners.local.processes import Process, is_this_boot
from hub.spawners.local.records import read_json
from hub.spawners.local.slots import Slots
from hub.spawners.local.start import PROCESS_STARTED, READY, WORKSPACE_READY, Start
from hub.spawners.local.warm import CannotFork, ParentGone, WarmParent
from hub.spawners.local.workspaces import Workspaces

_READY_WITHIN = 120
_PAUSE = 0.02
_ATTEMPTS = 10


class Follower:
    """`tell` is called with a start whenever its observation has changed."""

    def __init__(
        self, parents: Mapping[str, WarmParent], workspaces: Workspaces, isolation: Isolation, tell: Callable[[Start], None]
    ) -> None:
        self._parents, self._workspaces, self._isolation, self._tell = parents, workspaces, isolation, tell
        self._slots, self._holders = Slots(2 * (os.cpu_count() or 1)), Holders()

    def take_back(self, start: Start) -> None:
        """One that an earlier agent has begun keeps its workspace. Call it before any is followed."""
        if start.exit is None and start.is_begun:
            self._holders.keep(start.spec.workspace_id, start.id)

    async def follow(self, start: Start) -> None:
        """Until the start has ended. Whatever it raises, it can be called again."""
        attempts = 0
        while start.exit is None:
            process = self._adopted(start)
            if process is None and not start.folder.supervisor.exists():
                process = await self._ordered(start)
            if process is not None:
                await self._accompany(start, process)
            await self._conclude(start)
            attempts += 1
            await self._pause_before(start, attempts)
        self._holders.free(start.spec.workspace_id, start.id)
        self._tell(start)

    def _adopted(self, start: Start) -> Process | None:
        """The supervisor that the folder names, if that very process still runs."""
        named = read_json(start.folder.supervisor)
        if named is None or not is_this_boot(named["boot_id"]):
            return None
        return Process.found(named["pid"], named["start_time"])

    async def _ordered(self, start: Start) -> Process | None:
        """A supervisor newly forked; None where there is none, for a reason that the next look will show."""
        try:
            return await self._forked(start)
        except ParentGone:
            return None
        except CannotFork as error:
            self._never_ran(start, Ending.NEVER_STARTED, str(error))
        except OSError as error:
            self._never_ran(start, Ending.NEVER_STARTED, f"Its workspace could not be made ready: {error.strerror}.")
        return None

    async def _forked(self, start: Start) -> Process | None:
        parent = self._parents.get(start.spec.image)
        if parent is None:
            raise CannotFork(f"This machine's agent was not told of the interpreter {start.spec.image}.")
        if why := await self._isolation.refusal():
            raise CannotFork(why)
        if not self._takes_workspace(start):
            raise CannotFork(HELD)
        if await _before(self._turn(start, parent), start.told_to_stop):
            self._workspaces.make(start.spec.workspace_id)
            self._workspaces.hold(start.spec.workspace_id, start.spec.storage)
            self._reach(start, WORKSPACE_READY)
            return Process.found(await parent.fork(start.folder.path))
        self._never_ran(start, Ending.STOPPED)
        return None

    def _takes_workspace(self, start: Start) -> bool:
        return self._holders.take(start.spec.workspace_id, start.id)

    async def _turn(self, start: Start, parent: WarmParent) -> None:
        await parent.settled()
        start.slot = await self._slots.take()

    def _never_ran(self, start: Start, why: Ending, detail: str = "") -> None:
        """Record an end, unless a supervisor that an earlier agent asked for has the start in hand."""
        with start.unsupervised() as free:
            if free and start.recorded_exit() is None:
                start.write_exit(why, detail)

    async def _accompany(self, start: Start, process: Process) -> None:
        """Until the supervisor has ended; the order to stop is passed on to it. What goes wrong meanwhile is raised."""
        start.process = process
        try:
            async with asyncio.TaskGroup() as beside:
                tasks = [beside.create_task(self._until_ready(start)), beside.create_task(pass_on_stop(start, process))]
                await process.ended.wait()
                for task in tasks:
                    task.cancel()
        finally:
            start.process = None
            start.free_slot()
            process.close()

    async def _until_ready(self, start: Start) -> None:
        if start.has_reached(READY):
            if not start.has_socket():
                start.write_stop(Ending.LOST, f"Its socket {start.socket} was removed, so nobody could reach it any more.")
            return
        await start.is_supervised()
        self._reach(start, PROCESS_STARTED)
        try:
            async with asyncio.timeout(_READY_WITHIN):
                await until_healthy(start.socket, start.id)
        except TimeoutError:
            start.write_stop(Ending.NEVER_STARTED, f"It did not answer within {_READY_WITHIN} seconds of its start.")
            return
        start.free_slot()
        self._reach(start, READY)

    def _reach(self, start: Start, checkpoint: str) -> None:
        if start.reach(checkpoint):
            self._tell(start)

    async def _conclude(self, start: Start) -> None:
        """How it ended, once no supervisor runs. Without any record it is asked for again."""
        named = read_json(start.folder.supervisor)
        if named and start.recorded_exit() is None:
            await record_for_the_dead(start, named, self._workspaces, self._takes_workspace)
        start.exit = start.recorded_exit() or start.exit

    async def _pause_before(self, start: Start, attempt: int) -> None:
        if start.exit is None and attempt >= _ATTEMPTS:
            self._never_ran(start, Ending.NEVER_STARTED, "Its supervisor ended at once each time; its log says why.")
        if start.exit is None:
            await asyncio.sleep(min(_PAUSE * 2**attempt, 1))


async def _before(ready: Coroutine[Any, Any, None], stop: asyncio.Event) -> bool:
    """Wait for either; False where the order to stop came first. What `ready` raises is raised."""
    getting_ready, stopping = asyncio.create_task(ready), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait((getting_ready, stopping), return_when=asyncio.FIRST_COMPLETED)
        if stop.is_set():
            return False
        await getting_ready
        return True
    finally:
        await _cancel(getting_ready, stopping)


async def _cancel(*tasks: asyncio.Task[Any]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)

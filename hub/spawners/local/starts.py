"""All starts that this machine knows, and everyone who watches them."""

import asyncio
import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from hub.clock import now
from hub.errors import Conflict
from hub.seam import crossing
from hub.spawners.base import Ending, Observation, StartSpec, Usage
from hub.spawners.checks import checked_id, checked_spec
from hub.spawners.local.cores import Cores, own_cores
from hub.spawners.local.folders import Folders, remove_sockets
from hub.spawners.local.following import Follower
from hub.spawners.local.isolation import Isolation
from hub.spawners.local.limits import Limits
from hub.spawners.local.options import Options
from hub.spawners.local.orders import order_of
from hub.spawners.local.ports import Ports, ports_of
from hub.spawners.local.processes import Sample, sample
from hub.spawners.local.records import read_json, write_json
from hub.spawners.local.start import Start
from hub.spawners.local.warm import WarmParent
from hub.spawners.local.watching import Watcher
from hub.spawners.local.wire import spec_from_json
from hub.spawners.local.workspaces import Workspaces

log = logging.getLogger(__name__)

_PAUSE, _LONGEST_PAUSE = 0.1, 5.0
"""Seconds until a start that could not be followed is followed again, longer each time."""


class Starts:
    """Lives in the agent's event loop; no method blocks for longer than a small file takes."""

    def __init__(
        self,
        folders: Folders,
        options: Options,
        limits: Limits,
        parents: dict[str, WarmParent],
        workspaces: Workspaces,
        isolation: Isolation,
    ) -> None:
        self._folders, self._options, self._limits, self._workspaces = folders, options, limits, workspaces
        self._follower = Follower(parents, workspaces, isolation, self._tell)
        self._ports = Ports(ports_of(options.ports))
        self._cores = Cores(str(folders.data), own_cores, os.cpu_count() or 1)
        self._starts: dict[str, Start] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._watchers: set[Watcher] = set()

    def adopt(self) -> None:
        """Take over what earlier agents have left: running starts, ended ones, and orders not yet carried out."""
        for folder in sorted(self._folders.starts.iterdir()):
            recorded = read_json(folder / "spec.json")
            if recorded is None:
                self._workspaces.discard(folder)  # agent or machine ended while it took this order: the hub repeats it
            else:
                self._adopt(recorded)

    def _adopt(self, recorded: dict[str, Any]) -> None:
        """What it was given stays its own; if it has ended, somebody else may have that by now."""
        start = self._follow(spec_from_json(recorded["start"]))
        if start.exit is None:
            self._ports.keep(start.id, recorded.get("confinement", {}).get("ports"))
            self._cores.keep(start.id, recorded.get("cores"))

    def order(self, spec: StartSpec) -> None:
        """Idempotent: an order that is known already is not taken again."""
        checked_spec(spec)
        folder = self._folders.start(spec.start_id)
        if spec.start_id in self._starts:
            return
        ports, given = self._ports.take(spec.start_id), self._cores.take(spec.start_id, spec.cpu)
        ordered = order_of(spec, self._folders, self._options, self._limits, ports, given)
        with crossing("make a start's folder"):
            folder.path.mkdir(mode=0o700, exist_ok=True)
        # Not lasting: many launches at once would wait for the disk in turn.
        write_json(folder.spec, ordered, name="write a spec")
        self._follow(spec)

    def _follow(self, spec: StartSpec) -> Start:
        start = Start(spec, self._folders.start(spec.start_id), str(self._folders.socket(spec.start_id)))
        self._starts[start.id] = start
        self._follower.take_back(start)
        self._tell(start)
        self._tasks[start.id] = asyncio.create_task(self._see_through(start), name=f"follow {start.id}")
        return start

    async def _see_through(self, start: Start) -> None:
        """Until it has ended, whatever goes wrong meanwhile: of the end of this task nobody else would hear."""
        pause = _PAUSE
        while not await self._has_followed(start):
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
        self._ports.free(start.id)
        self._cores.free(start.id)
        remove_sockets(self._folders, start.id)

    async def _has_followed(self, start: Start) -> bool:
        try:
            await self._follower.follow(start)
        except Exception:  # a fault of the disk, or of ours: the log has it, and the start's folder is looked at anew
            log.exception("the start %s cannot be followed for the moment", start.id)
            return False
        return True

    def stop(self, start_id: str) -> None:
        start = self._starts.get(checked_id(start_id))
        if start and start.exit is None:
            start.write_stop(Ending.STOPPED)

    def forget(self, start_id: str) -> None:
        start = self._starts.get(checked_id(start_id))
        if start is None:
            return
        if start.exit is None:
            raise Conflict("This start has not ended: stop it first.")
        self._workspaces.discard(start.folder.path)
        del self._starts[start_id], self._tasks[start_id]

    def observations(self) -> list[Observation]:
        return [start.observation() for start in self._starts.values()]

    def log(self, start_id: str, lines: int) -> str:
        start = self._starts.get(checked_id(start_id))
        return start.log(lines) if start else ""

    def usage(self) -> list[Usage]:
        """Reads much of /proc: call it in a thread."""
        running = [(start, start.process.pid) for start in list(self._starts.values()) if start.process]
        samples = [(start.id, self._sample(start, pid)) for start, pid in running]
        return [
            Usage(start_id, now(), taken.memory, taken.cpu_seconds, taken.processes)
            for start_id, taken in samples
            if taken.processes
        ]

    def _sample(self, start: Start, supervisor: int) -> Sample:
        return sample(supervisor, start.first_process(), self._workspaces.memory_of(start.spec.workspace_id))

    def delete_workspace(self, workspace_id: str) -> None:
        """Out of sight when this returns. Raises `Conflict` while a start holds it or waits for it."""
        if any(start.spec.workspace_id == workspace_id for start in self._starts.values() if start.exit is None):
            raise Conflict("An environment is running with this workspace: stop it first.")
        self._workspaces.delete(workspace_id)

    @asynccontextmanager
    async def watcher(self) -> AsyncIterator[Watcher]:
        watcher = Watcher()
        self._watchers.add(watcher)
        try:
            yield watcher
        finally:
            self._watchers.discard(watcher)

    async def end_all(self) -> None:
        """Stop every start and wait until all have ended."""
        for start in self._starts.values():
            self.stop(start.id)
        await asyncio.gather(*self._tasks.values())

    async def leave(self) -> None:
        """Follow no longer; what runs goes on."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    def _tell(self, start: Start) -> None:
        for watcher in self._watchers:
            watcher.tell(start)

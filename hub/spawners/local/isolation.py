"""Finds out how far environments are kept apart on this machine, by one that only tries what none may be able to do.

It runs once in the life of an agent, as every environment does. Starts wait for it where a level is demanded.
"""

import asyncio
import json
import logging
import os
import secrets
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import asdict, dataclass, replace
from typing import Any

from hub.clock import new_id
from hub.seam import crossing
from hub.spawners.base import StartSpec
from hub.spawners.files.tree import empty
from hub.spawners.isolation import Found, lacks
from hub.spawners.local.folders import Folders, own_folder, read_json, write_json
from hub.spawners.local.limits import Limits
from hub.spawners.local.options import Options
from hub.spawners.local.orders import order_of
from hub.spawners.local.processes import Process
from hub.spawners.local.warm import CannotFork, ParentGone, WarmParent, end

log = logging.getLogger(__name__)

_WITHIN = 20.0
_MEMORY, _PROCESSES = 512 * 2**20, 16


@dataclass
class Isolation:
    """`found` is awaited by whoever needs to know; None where it could not be tried, or nobody wants it."""

    wanted: str
    _trying: "asyncio.Task[Found | None] | None" = None

    def find_out(self, options: Options, folders: Folders, limits: Limits) -> None:
        if self.wanted != "none":
            self._trying = asyncio.create_task(_tried(options, folders, limits))

    async def found(self) -> Found | None:
        return await asyncio.shield(self._trying) if self._trying else None

    async def refusal(self) -> str:
        """Why nothing may be started here; empty where all that is demanded holds."""
        return lacks(self.wanted, await self.found()) if self.wanted not in {"any", "none"} else ""

    async def told(self) -> dict[str, Any]:
        found = await self.found()
        return {"wanted": self.wanted, "found": asdict(found) if found else None}


async def _tried(options: Options, folders: Folders, limits: Limits) -> Found | None:
    try:
        async with asyncio.timeout(_WITHIN):
            return await _try(options, folders, limits)
    except (OSError, CannotFork, ParentGone, TimeoutError):
        log.exception("how far environments are kept apart cannot be tried")
        return None


async def _try(options: Options, folders: Folders, limits: Limits) -> Found | None:
    inner = Folders(folders.data / "probe", folders.runtime)
    own_folder(inner.data)
    empty(inner.data)
    inner.prepare()
    spec = StartSpec(new_id(), new_id(), new_id(), "", 1, _MEMORY, _PROCESSES, "", ({"kid": "probe"},))
    start, workspace = inner.start(spec.start_id), inner.workspace(spec.workspace_id)
    neighbour = inner.workspace(new_id())
    with crossing("make the probe's folders"):
        for folder in (start.path, workspace, neighbour):
            folder.mkdir(mode=0o700)
        (neighbour / "file").write_text("not yours")
    with _listening() as (abstract, port):
        targets = {
            "pid": os.getpid(), "file": str(folders.agent_secret), "neighbour": str(neighbour / "file"),
            "socket": str(folders.agent_socket), "abstract": abstract, "port": port,
        }  # fmt: skip
        spec = replace(spec, variables={"PROBE_TARGETS": json.dumps(targets)})
        write_json(start.spec, order_of(spec, inner, options, limits), name="write the probe's spec")
        async with _parent(options) as parent:
            process = Process.found(await parent.fork(start.path))
            if process:
                await process.ended.wait()
    told = read_json(workspace / "holes.json")
    return Found(told["abi"], tuple(told["holes"]), told["unix_sockets"], told["gpus"]) if told else None


@contextmanager
def _listening() -> Iterator[tuple[str, int]]:
    """An abstract socket and a port of the loopback that take connections."""
    name = secrets.token_hex(16)
    with socket.socket(socket.AF_UNIX) as abstract, socket.create_server(("127.0.0.1", 0)) as port:
        abstract.bind(f"\0{name}")
        abstract.listen()
        yield name, port.getsockname()[1]


@asynccontextmanager
async def _parent(options: Options) -> AsyncIterator[WarmParent]:
    """One that has imported nothing but what the probe needs."""
    given = replace(options, server="environment.confining.probe", preload="environment.confining")
    parent = WarmParent(options.interpreters[0], given)
    keeping = asyncio.create_task(parent.keep())
    try:
        await parent.settled()
        yield parent
    finally:
        end(parent)
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)

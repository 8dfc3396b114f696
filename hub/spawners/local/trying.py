"""Finds out how far environments are kept apart on this machine, by one that only tries what none may be able to do.

It runs as every environment does.
"""

import asyncio
import json
import logging
import os
import secrets
import socket
from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace

from hub.clock import new_id
from hub.seam import crossing
from hub.spawners.base import StartSpec
from hub.spawners.isolation import Found
from hub.spawners.local import as_owner, leftovers
from hub.spawners.local.accounts import Accounts
from hub.spawners.local.folders import Folders, StartFolder, remove_sockets
from hub.spawners.local.limits import Limits
from hub.spawners.local.options import Options
from hub.spawners.local.orders import order_of
from hub.spawners.local.owned import own_folder
from hub.spawners.local.ports import ports_of
from hub.spawners.local.processes import Process
from hub.spawners.local.records import write_json
from hub.spawners.local.warm import WarmParent, end
from hub.spawners.local.workspaces import Workspaces

log = logging.getLogger(__name__)

_WITHIN = 20.0
_MEMORY, _PROCESSES = 512 * 2**20, 16


async def tried(options: Options, folders: Folders, limits: Limits, accounts: Accounts | None) -> Found | None:
    """None, and why in the log, where it cannot be tried, takes too long, or says what cannot be read."""
    try:
        async with asyncio.timeout(_WITHIN):
            async with _of_its_own(folders) as inner:
                return await _answered(options, folders, inner, limits, accounts)
    except Exception:  # whatever is wrong with a try, it has found nothing out, and nothing may be claimed
        log.exception("how far environments are kept apart cannot be tried")
        return None


@asynccontextmanager
async def _of_its_own(folders: Folders) -> AsyncIterator[Folders]:
    """Folders in which nothing is, and that go with all that runs there; also what an agent that was killed has left."""
    inner = replace(folders, data=folders.data / "probe")
    await asyncio.to_thread(_remove, inner)
    inner.prepare()
    try:
        yield inner
    finally:
        await asyncio.to_thread(_remove, inner)


def _remove(inner: Folders) -> None:
    own_folder(inner.data)
    for start in inner.starts.glob("*"):
        leftovers.end_marked(start.name, start)
        remove_sockets(inner, start.name)
    if faults := as_owner.clear(inner.data):
        log.error("of the last try remains: %s", "; ".join(faults))
        return
    with crossing("remove the probe's folder"):
        inner.data.rmdir()


async def _answered(
    options: Options, folders: Folders, inner: Folders, limits: Limits, accounts: Accounts | None
) -> Found | None:
    spec = StartSpec(new_id(), new_id(), new_id(), "", 1, _MEMORY, _PROCESSES, "", ({"kid": "probe"},))
    start, neighbour = inner.start(spec.start_id), inner.workspace(new_id())
    with crossing("make the probe's folders"):
        for folder in (start.path, neighbour):
            folder.mkdir(mode=0o700)
        (neighbour / "file").write_text("not yours")
    workspaces = Workspaces(inner, accounts)
    for workspace_id in (spec.workspace_id, neighbour.name):
        workspaces.make(workspace_id)
    with _listening() as (abstract, port):
        targets = {
            "pid": os.getpid(), "file": str(folders.agent_secret), "neighbour": str(neighbour / "file"),
            "socket": str(folders.agent_socket), "abstract": abstract, "port": port,
        }  # fmt: skip
        spec = replace(spec, variables={"PROBE_TARGETS": json.dumps(targets)})
        ordered = order_of(spec, inner, options, limits, _some_of(options), None)
        write_json(start.spec, ordered, name="write the probe's spec")
        async with _parent(options) as parent:
            process = Process.found(await parent.fork(start.path))
            if process:
                await process.ended.wait()
    return _read(start, {os.geteuid(), neighbour.lstat().st_uid})


def _read(start: StartFolder, others: Collection[int]) -> Found | None:
    """What it printed last, and whether its account was nobody else's."""
    line = next((line for line in reversed(start.log.read_text().splitlines()) if line.startswith("{")), None)
    if line is None:
        return None
    told = json.loads(line)
    return Found(told["abi"], tuple(told["holes"]), told["unix_sockets"], told["gpus"], told["account"] not in others)


def _some_of(options: Options) -> tuple[int, int] | None:
    """It listens on none of them."""
    ports = ports_of(options.ports)
    return ports.block(0) if ports else None


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

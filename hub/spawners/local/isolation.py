"""Finds out how far environments are kept apart on this machine, by one that only tries what none may be able to do.

It runs as every environment does, once in the life of an agent that finds something out. Starts wait for it where a level is
demanded.
"""

import asyncio
import json
import logging
import os
import secrets
import socket
from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from time import monotonic
from typing import Any

from hub.clock import new_id
from hub.seam import crossing
from hub.spawners.base import StartSpec
from hub.spawners.isolation import Found, lacks
from hub.spawners.local import as_owner, leftovers
from hub.spawners.local.accounts import Accounts
from hub.spawners.local.folders import Folders, StartFolder, own_folder, remove_sockets
from hub.spawners.local.limits import Limits
from hub.spawners.local.options import Options
from hub.spawners.local.orders import order_of
from hub.spawners.local.ports import ports_of
from hub.spawners.local.processes import Process
from hub.spawners.local.records import write_json
from hub.spawners.local.warm import WarmParent, end
from hub.spawners.local.workspaces import Workspaces

log = logging.getLogger(__name__)

_WITHIN = 20.0
_MEMORY, _PROCESSES = 512 * 2**20, 16


@dataclass
class Isolation:
    """`found` is awaited by whoever needs to know; None where it could not be tried, or nobody wants it.

    `no_accounts`: why root gives environments no accounts of their own here. `pause`: seconds after a try that found nothing
    until somebody's question begins another one; the machine may have been busy.
    """

    wanted: str
    no_accounts: str = ""
    pause: float = 60.0
    _try: "Callable[[], Coroutine[Any, Any, Found | None]] | None" = field(default=None, init=False)
    _trying: "asyncio.Task[Found | None] | None" = field(default=None, init=False)
    _not_before: float = field(default=0.0, init=False)

    def find_out(self, options: Options, folders: Folders, limits: Limits, accounts: Accounts | None) -> None:
        if self.wanted != "none":
            self._try = partial(_tried, options, folders, limits, accounts)
            self._begin(self._try)

    async def found(self) -> Found | None:
        if self._try and self._has_found_nothing() and monotonic() >= self._not_before:
            self._begin(self._try)
        return await asyncio.shield(self._trying) if self._trying else None

    def _begin(self, a_try: Callable[[], Coroutine[Any, Any, Found | None]]) -> None:
        self._trying = asyncio.create_task(a_try())
        self._trying.add_done_callback(self._rest)

    def _rest(self, _tried: "asyncio.Task[Found | None]") -> None:
        self._not_before = monotonic() + self.pause

    def _has_found_nothing(self) -> bool:
        """The last try; one that is under way may find something yet."""
        return bool(self._trying and self._trying.done() and self._trying.result() is None)

    async def refusal(self) -> str:
        """Why nothing may be started here; empty where all that is demanded holds."""
        return lacks(self.wanted, await self.found()) if self.wanted not in {"any", "none"} else ""

    async def told(self) -> dict[str, Any]:
        found = await self.found()
        return {"wanted": self.wanted, "found": asdict(found) if found else None, "no_accounts": self.no_accounts}


async def _tried(options: Options, folders: Folders, limits: Limits, accounts: Accounts | None) -> Found | None:
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

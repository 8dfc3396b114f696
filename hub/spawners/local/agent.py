"""The agent: a small process of its own that starts, watches and ends environments on this machine.

The hub reaches it over a Unix socket with a secret. It is the only part that would ever need more
rights than the hub has. Hub, agent and warm parents may each die and come back: what runs is under
supervisors, and everything that the agent knows lies in the starts' folders.
"""

import asyncio
import logging
import os
import resource
import socket
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial

import uvicorn
from starlette.applications import Starlette
from starlette.types import Lifespan

from hub.errors import CannotStart
from hub.seam import crossing
from hub.spawners.local import ports
from hub.spawners.local.accounts import Accounts, Range, uids_of
from hub.spawners.local.capacity import memory_at_hand
from hub.spawners.local.folders import Folders
from hub.spawners.local.isolation import Isolation
from hub.spawners.local.limits import limits_in_force
from hub.spawners.local.listening import claim, listen, remove_socket
from hub.spawners.local.options import Options, parse
from hub.spawners.local.quota import quotas_of, sentence
from hub.spawners.local.readable import check_readable
from hub.spawners.local.rights import hindrance_to_accounts, may_hide_folders
from hub.spawners.local.routes import Agent, application
from hub.spawners.local.secret import secret_of, share
from hub.spawners.local.starts import Starts
from hub.spawners.local.warm import WarmParent, end
from hub.spawners.local.workspaces import Workspaces

log = logging.getLogger(__name__)

REFUSED = 78
"""The exit code where it has said why it cannot start (EX_CONFIG of sysexits.h). A fault of the moment has another one."""


def main(arguments: Sequence[str]) -> int:
    """Serve until told to end. A second agent for the same data folder ends at once; to `launch` that is as well."""
    options = parse(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    try:
        _check(options)
        numbers, no_accounts = _accounts(options)
        folders = Folders(options.data, options.runtime, passable=bool(numbers) and not may_hide_folders(), group=options.group)
        folders.prepare()
        secret = secret_of(folders)
        if folders.group is not None:
            share(folders, secret)
    except CannotStart as error:
        log.error("%s", error.sentence)  # noqa: TRY400 (a sentence for the operator)
        return REFUSED
    lock = claim(folders)
    if lock is None:
        return 0 if options.detach else _second(folders)
    with lock, listen(folders) as listener:
        if not options.detach or _is_detached():
            _serve(_agent(options, folders, numbers, Isolation(options.isolation, no_accounts)), secret, listener)
            remove_socket(folders)
    return 0


def _second(folders: Folders) -> int:
    log.error(
        "Another agent runs for %s. End that one (the service that started it, or: make down), or choose another folder with "
        "DATA_DIR.",
        folders.data,
    )
    return REFUSED


def _is_detached() -> bool:
    """True in a new process that nobody waits for; the caller's ends, so who started it knows that it listens."""
    with crossing("detach the agent"):
        return os.fork() == 0


def _serve(agent: Agent, secret: str, listener: socket.socket) -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    configuration = uvicorn.Config(
        application(agent, secret, _lifespan(agent)),
        loop="asyncio",
        http="h11",
        ws="none",
        access_log=False,
        log_config=None,
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(configuration)

    def finish() -> None:
        server.should_exit = True

    agent.finish = finish
    server.run(sockets=[listener])


def _agent(options: Options, folders: Folders, numbers: Range | None, isolation: Isolation) -> Agent:
    accounts = Accounts(numbers, folders) if numbers else None
    quotas = quotas_of(folders.workspaces, numbers.first) if numbers else None
    limits = replace(limits_in_force(), disk=sentence(quotas))
    workspaces = Workspaces(folders, accounts, quotas)
    parents = {str(path): WarmParent(path, options) for path in options.interpreters}
    starts = Starts(folders, options, limits, parents, workspaces, isolation)
    capacity = options.memory if options.memory is not None else memory_at_hand()
    find_out = partial(isolation.find_out, options, folders, limits, accounts)
    return Agent(starts, workspaces, parents, limits, isolation, capacity, options.fingerprint(), find_out)


def _check(options: Options) -> None:
    """Raises `CannotStart` before anything is started with them."""
    ports.ports_of(options.ports)
    ports.outward_of(options.outward)
    check_readable(options.readable, (options.data, options.runtime))


def _accounts(options: Options) -> tuple[Range | None, str]:
    """The numbers of those that environments have of their own; or None, and a clause that says why where root is told."""
    numbers = uids_of(options.uids)
    if options.isolation == "none" or os.geteuid() != 0:
        return None, ""
    why_not = hindrance_to_accounts(numbers, (*options.interpreters, *options.code, options.script, options.data.parent))
    return (None, why_not) if why_not else (numbers, "")


def _lifespan(agent: Agent) -> Lifespan[Starlette]:
    @asynccontextmanager
    async def live(_app: Starlette) -> AsyncIterator[None]:
        agent.find_out()
        keeping = [asyncio.create_task(parent.keep()) for parent in agent.parents.values()]
        agent.starts.adopt()
        emptying = asyncio.create_task(asyncio.to_thread(agent.workspaces.empty_trash))
        try:
            yield
        finally:
            await agent.starts.leave()
            for parent in agent.parents.values():
                end(parent)
            for task in keeping:
                task.cancel()
            await asyncio.gather(*keeping, emptying, return_exceptions=True)

    return live


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""The local spawner's far side: an agent with a stand-in for the environment's server."""

import contextlib
import os
import signal
import sys
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import psutil

from hub.clock import new_id
from hub.settings import ROOT
from hub.spawners.base import StartSpec
from hub.spawners.local.client import LocalSpawner
from hub.spawners.local.folders import Folders, folders_at
from hub.spawners.local.launch import AGENT, ensure, stop
from hub.spawners.local.options import CODE, Options
from hub.spawners.local.records import read_json
from tests.spawners.far_side import MIB, Watching, until, watching_over


class LocalFarSide:
    """An agent with a stand-in for the environment's server, in folders of its own."""

    at_once = 50
    told_within = 1.0

    def __init__(self, data: Path, *, lesser: tuple[str, ...] = (), **changes: Any) -> None:
        """`lesser`: how much lesser a machine the agent runs on (`tests.support.lesser`)."""
        self.folders: Folders = folders_at(data)
        self.options = replace(
            Options(self.folders.data, self.folders.runtime, (Path(sys.executable),)),
            code=(CODE, ROOT),
            server="tests.spawners.stand_in",
            preload="tests.spawners.stand_in",
            script=Path(__file__),
        )
        self.options = replace(self.options, **changes)
        self.command = (sys.executable, "-m", "tests.support.lesser", *lesser, "--", *AGENT) if lesser else AGENT
        self.spawner: LocalSpawner = ensure(self.options, self.command)

    def spec(self, *, at_start: str = "", **changes: Any) -> StartSpec:
        start_id, interpreter = new_id(), str(self.options.interpreters[0])
        spec = StartSpec(
            start_id, new_id(), new_id(), interpreter, 1, 1024 * MIB, 64, "", ({"kid": "one"},), {"AT_START": at_start}
        )
        return replace(spec, **changes)

    def run(self, start_id: str, code: str) -> str:
        with httpx.Client(transport=httpx.HTTPTransport(uds=str(self.folders.socket(start_id))), timeout=30) as client:
            return client.post("http://environment/run", content=code).text

    def kill(self, start_id: str, number: signal.Signals) -> None:
        os.kill(self.supervisor(start_id)["server"], number)

    def supervisor(self, start_id: str) -> dict[str, Any]:
        """Who supervises, as the start's folder says."""
        named: dict[str, Any] = until(lambda: read_json(self.folders.start(start_id).supervisor))
        return named

    def processes(self, start_id: str) -> int:
        """Found by what a process holds or was told, also where no parent leads to it any more."""
        log, mark = str(self.folders.start(start_id).log), f"START_ID={start_id}"
        named = read_json(self.folders.start(start_id).supervisor) or {}
        podiums = {named.get("pid"), (named.get("first") or {}).get("pid")}
        return sum(_is_of(process, log, mark) for process in psutil.process_iter() if process.pid not in podiums)

    def agent(self) -> int:
        return int(self.spawner.about()["pid"])

    def warm_parent(self) -> dict[str, Any]:
        parent: dict[str, Any] = self.spawner.about()["warm_parents"][0]
        return parent

    def watching(self) -> AbstractContextManager[Watching]:
        spawner = LocalSpawner(self.folders.agent_socket, self.folders.agent_secret.read_text())
        return watching_over(spawner, spawner.close)

    def close(self) -> None:
        self.spawner.close()
        stop(self.options, self.command)


def lives(pid: int) -> bool:
    """Whether the process runs; one that only waits to be reaped does not."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _is_of(process: psutil.Process, log: str, mark: str) -> bool:
    with contextlib.suppress(psutil.Error, OSError):
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        if mark.encode() in Path(f"/proc/{process.pid}/environ").read_bytes().split(b"\0"):
            return True
        return Path(f"/proc/{process.pid}/fd/1").readlink() == Path(log)
    return False

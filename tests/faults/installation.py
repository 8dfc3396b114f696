"""One Podium that is killed again and again: started, given commands, and looked at from outside.

A hub that has died is noticed by its link and started again, as an operator or a service manager would; the command whose
answer it owed is then repeated, as a person would click again.
"""

import contextlib
import json
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from sqlmodel import SQLModel

from hub.clock import new_id
from hub.database import Database
from hub.errors import DatabaseSilent
from hub.identity.model import User
from hub.settings import ROOT, Settings
from hub.spawners.local.client import LocalSpawner
from hub.spawners.local.folders import Folders, folders_at
from hub.spawners.local.launch import stop_agent
from tests.faults import machine
from tests.faults.forge import Forge
from tests.faults.machine import Kind
from tests.faults.plan import PlanFolder
from tests.support import leaks

T = TypeVar("T")
Row = TypeVar("Row", bound=SQLModel)

WITHIN = 15.0
"""Seconds within which everything must be right again."""
SERVES_WITHIN = 30.0


class HubGone(Exception):
    """The hub died before it answered; `sentence` where it said why."""

    def __init__(self, sentence: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence


class Declined(Exception):
    """The service refused: `kind` is the class of `hub.errors`."""

    def __init__(self, kind: str, sentence: str) -> None:
        super().__init__(f"{kind}: {sentence}")
        self.kind, self.sentence = kind, sentence


class Hub:
    """One hub process."""

    def __init__(self, pid: int, link: socket.socket) -> None:
        self.pid, self._link = pid, link

    def fileno(self) -> int:
        """Of the link, for `select`."""
        return self._link.fileno()

    def receive(self) -> dict[str, Any]:
        """Raises `HubGone`."""
        assert select.select([self._link], [], [], SERVES_WITHIN)[0], "the hub does not answer"
        message = self._read(65536)
        told: dict[str, Any] = json.loads(message or b"{}")
        if not message or "ended" in told:
            while message:  # until the process is gone, and what it held with it
                message = self._read(65536)
            raise HubGone(told.get("ended", ""))
        return told

    def send(self, request: dict[str, Any]) -> None:
        try:
            self._link.send(json.dumps(request).encode())
        except OSError as error:
            raise HubGone from error

    def ask(self, request: dict[str, Any]) -> Any:
        """The service's answer. Raises `HubGone` or `Declined`."""
        self.send(request)
        return self.answer()

    def answer(self) -> Any:
        told = self.receive()
        if "refused" in told:
            raise Declined(told["refused"], told["sentence"])
        return told["done"]

    @property
    def is_gone(self) -> bool:
        """Whether the process has closed its link by ending."""
        return bool(select.select([self._link], [], [], 0)[0]) and not self._read(1, socket.MSG_PEEK)

    def _read(self, size: int, flags: int = 0) -> bytes:
        try:
            return self._link.recv(size, flags)
        except ConnectionError:
            return b""

    def kill(self) -> None:
        """As a crash does; returns when it is gone."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        with contextlib.suppress(HubGone):
            while True:
                self.receive()

    def close(self) -> None:
        self._link.close()


class Installation:
    """Make it with `installed`."""

    def __init__(self, forge: Forge, folder: Path, **changes: Any) -> None:
        self._forge, self._folder = forge, folder
        self.data = folder / "data"
        self.crash = PlanFolder(folder / "crash")
        self.crash.path.mkdir(parents=True)
        self.settings = Settings(
            data_dir=self.data,
            port=0,
            environment_python=_interpreter(folder),
            max_user_pods=20,
            **{"memory_for_environments": "64Gi", **changes},
        )
        self.folders: Folders = folders_at(self.data)
        self.database = Database(self.settings.database)
        self._hubs: list[Hub] = []

    @property
    def hub(self) -> Hub:
        return self._hubs[-1]

    @property
    def log(self) -> str:
        parts = [machine.text_of(path) or "" for path in (self._folder / "hub.log", self.folders.agent_log)]
        return "\n".join("\n".join(part.splitlines()[-30:]) for part in parts)

    def start(self) -> Hub:
        """A hub that serves; the one before must be gone. Raises `HubGone` where it ends instead."""
        for hub in self._hubs:
            hub.close()
        self._hubs = []
        return self._made(replica=False)

    def start_replica(self) -> Hub:
        """One more hub over the same database and agent."""
        return self._made(replica=True)

    def _made(self, *, replica: bool) -> Hub:
        pid, link = self._forge.make(
            {
                "settings": self.settings.model_dump(mode="json"),
                "crash": str(self.crash.path),
                "log": str(self._folder / "hub.log"),
                "replica": replica,
            }
        )
        hub = Hub(pid, link)
        self._hubs.append(hub)
        assert hub.receive()["serves"] == pid
        self._keep_agent()
        return hub

    def revive(self) -> None:
        """Start the hub if it is gone; once more where its first attempt ended with the agent that was killed."""
        if self.hub.is_gone:
            try:
                self.start()
            except HubGone:
                self.start()

    def kill_everything_but_environments(self) -> None:
        """Hub and agent; the warm parent ends with the agent."""
        agent = self.pid_of(Kind.AGENT)
        self.hub.kill()
        os.kill(agent, signal.SIGKILL)

    def command(self, act: str, user: str, on: str = "") -> Any:
        """Do it in the hub's process; again where the hub died before it answered. Raises `Declined`."""
        while True:
            self.revive()
            try:
                return self.hub.ask({"act": act, "user": user, "on": on})
            except HubGone:
                continue

    def until(self, look: Callable[[], T | None], what: str = "", within: float = WITHIN) -> T:
        """What `look` returns once it is true. A hub that has died meanwhile is started again."""
        deadline = time.monotonic() + within
        while True:
            if self.hub.is_gone:
                self.revive()
                deadline = time.monotonic() + within
            with contextlib.suppress(DatabaseSilent):
                if seen := look():
                    return seen
            assert time.monotonic() < deadline, f"not within {within:g} s: {what}\n{self.log}"
            time.sleep(0.02)

    def new_user(self) -> str:
        user = User(name=f"ada-{new_id()[:10]}", display_name="Ada")
        with self.database.writing("test user") as session:
            session.add(user)
        return user.id

    def row(self, kind: type[Row], key: str) -> Row:
        with self.database.reading() as session:
            return session.get_one(kind, key)

    @contextmanager
    def spawner(self) -> Iterator[LocalSpawner]:
        """A connection to the agent that starts none."""
        with contextlib.closing(LocalSpawner(self.folders.agent_socket, self.folders.agent_secret.read_text())) as spawner:
            yield spawner

    def running(self) -> list[machine.Running]:
        return machine.running(self.data)

    def pid_of(self, kind: Kind) -> int:
        """The one process of that kind."""
        return self.until(lambda: self._single(kind), f"one {kind}")

    def _single(self, kind: Kind) -> int | None:
        found = machine.of_kind(kind, self.running())
        self._keep_agent()
        return found[0].pid if len(found) == 1 else None

    def _keep_agent(self) -> None:
        """It may outlive the test that revived it, where several tests share the installation."""
        for process in self.running():
            if process.kind is Kind.AGENT:
                leaks.keep(process.pid)

    def close(self) -> None:
        self.crash.disarm()
        for hub in self._hubs:
            hub.kill()
            hub.close()
        stop_agent(self.settings)
        self.database.close()


@contextmanager
def installed(forge: Forge, folder: Path, **changes: Any) -> Iterator[Installation]:
    """A Podium whose hub serves; everything of it has ended when the block has."""
    with unstarted(forge, folder, **changes) as installation:
        installation.start()
        yield installation


@contextmanager
def unstarted(forge: Forge, folder: Path, **changes: Any) -> Iterator[Installation]:
    """The same before its first start."""
    installation = Installation(forge, folder, **changes)
    try:
        yield installation
    finally:
        installation.close()


def _interpreter(folder: Path) -> Path:
    """An interpreter for environments that runs the quick server in place of Streamlit's: later arguments win."""
    program = folder / "python"
    program.write_text(
        f'#!/bin/sh\nexport PYTHONPATH="$PYTHONPATH:{ROOT}"\n'
        f'exec {sys.executable} "$@" --server=tests.faults.patient_server --preload=tests.faults.patient_server\n'
    )
    program.chmod(0o755)
    return program

"""Hubs of one Podium that are killed again and again: started, given commands, and looked at from outside.

A hub that has died is noticed by its link and started again, as an operator or a service manager would; the command whose
answer it owed is then repeated, as a person would click again.
"""

import contextlib
import json
import os
import select
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from sqlmodel import SQLModel

from hub.clock import new_id
from hub.database import Database
from hub.errors import DatabaseSilent
from hub.identity.model import User
from hub.settings import Settings
from tests.faults.forge import Forge
from tests.faults.plan import PlanFolder

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


class Hubs:
    """Of one data folder, or of one database. `close` ends them."""

    within = WITHIN

    def __init__(self, forge: Forge, folder: Path, settings: Settings) -> None:
        self._forge, self._folder, self.settings = forge, folder, settings
        self.crash = PlanFolder(folder / "crash")
        self.crash.path.mkdir(parents=True)
        self.database = Database(settings.database)
        self._hubs: list[Hub] = []

    @property
    def hub(self) -> Hub:
        return self._hubs[-1]

    @property
    def log(self) -> str:
        """The end of what the hubs have written."""
        return ending_of(self._folder / "hub.log")

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
        return hub

    def revive(self) -> None:
        """Start the hub if it is gone; once more where its first attempt ended with what was killed."""
        if self.hub.is_gone:
            try:
                self.start()
            except HubGone:
                self.start()

    def command(self, act: str, user: str, on: str = "") -> Any:
        """Do it in the hub's process; again where the hub died before it answered. Raises `Declined`."""
        while True:
            self.revive()
            try:
                return self.hub.ask({"act": act, "user": user, "on": on})
            except HubGone:
                continue

    def until(self, look: Callable[[], T | None], what: str | Callable[[], str] = "", within: float | None = None) -> T:
        """What `look` returns once it is true. A hub that has died meanwhile is started again."""
        within = within or self.within
        deadline = time.monotonic() + within
        while True:
            if self.hub.is_gone:
                self.revive()
                deadline = time.monotonic() + within
            with contextlib.suppress(DatabaseSilent):
                if seen := look():
                    return seen
            if time.monotonic() > deadline:
                raise AssertionError(f"not within {within:g} s: {what() if callable(what) else what}\n{self.log}")
            time.sleep(0.02)

    def new_user(self) -> str:
        user = User(name=f"ada-{new_id()[:10]}", display_name="Ada")
        with self.database.writing("test user") as session:
            session.add(user)
        return user.id

    def row(self, kind: type[Row], key: str) -> Row:
        with self.database.reading() as session:
            return session.get_one(kind, key)

    def close(self) -> None:
        self.crash.disarm()
        for hub in self._hubs:
            hub.kill()
            hub.close()
        self.database.close()


def ending_of(log: Path) -> str:
    """Its last lines; empty where there is none."""
    return "\n".join(log.read_text().splitlines()[-30:]) if log.exists() else ""

"""The warm parents, one for each interpreter, kept alive: one that dies is replaced at once.

What was forked from a dead one goes on; what waits for a fork waits for the next one.
"""

import asyncio
import contextlib
import json
import logging
import os
import signal
import socket
import subprocess
from pathlib import Path
from typing import Any

from hub.seam import crossing
from hub.spawners.local.options import Options

log = logging.getLogger(__name__)

_LONGEST_PAUSE = 30.0


class ParentGone(Exception):
    """It died while an order was on its way; whether the fork happened is unknown."""


class CannotFork(Exception):
    """The interpreter does not run, or the machine refuses a process; the text is a sentence for a person."""


class WarmParent:
    def __init__(self, interpreter: Path, options: Options) -> None:
        self.interpreter = interpreter
        self.pid: int | None = None
        self._options = options
        self._writer: asyncio.StreamWriter | None = None
        self._settled = asyncio.Event()
        """Set while it is known whether the interpreter runs: ready, or refused with `_fault`."""
        self._fault: str | None = None
        self._waiting: dict[str, asyncio.Future[int]] = {}

    @property
    def is_ready(self) -> bool:
        return self._writer is not None

    async def settled(self) -> None:
        """Returns when it is ready; raises `CannotFork` where this interpreter does not run."""
        await self._settled.wait()
        if self._fault:
            raise CannotFork(self._fault)

    async def fork(self, folder: Path) -> int:
        """The process number of a new supervisor for the start in that folder. Call it when `settled`."""
        if self._writer is None:
            raise ParentGone
        answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._waiting[str(folder)] = answer
        with crossing("fork an environment"):
            self._writer.write(json.dumps({"start": str(folder)}).encode() + b"\n")
        return await answer

    async def keep(self) -> None:
        """Starts it, and starts it again whenever it ends, until cancelled."""
        pause = 0.0
        while True:
            was_ready = await self._live_once()
            pause = 0.0 if was_ready else min(pause * 2 + 0.5, _LONGEST_PAUSE)
            await asyncio.sleep(pause)

    async def _live_once(self) -> bool:
        """One life of the parent; whether it ever was ready."""
        try:
            process, control = self._start()
        except OSError as error:
            self._refuse(f"The interpreter {self.interpreter} cannot be started: {error.strerror}.")
            return False
        self.pid = process.pid
        reader, writer = await asyncio.open_connection(sock=control)
        try:
            was_ready = await self._listen(reader, writer)
        finally:
            writer.close()
            self._forget_waiting()
            code = await asyncio.shield(asyncio.to_thread(process.wait))
        log.warning("the warm parent of %s has ended (%s)", self.interpreter, code)
        if not was_ready and code > 0:
            self._refuse(f"The interpreter {self.interpreter} cannot run environments; the agent's log says why.")
        return was_ready

    def _start(self) -> tuple[subprocess.Popen[bytes], socket.socket]:
        ours, theirs = socket.socketpair()
        command = [str(self.interpreter), "-m", "environment.local.warm_parent", f"--control={theirs.fileno()}"]
        command += [f"--server={self._options.server}", f"--preload={self._options.preload}"]
        try:
            with crossing("start a warm parent"):
                process = subprocess.Popen(  # noqa: S603 (the operator's own interpreter)
                    command,
                    cwd=self._options.data,
                    env=self._variables(),
                    stdin=subprocess.DEVNULL,
                    pass_fds=[theirs.fileno()],
                    start_new_session=True,
                )
        except OSError:
            ours.close()
            raise
        finally:
            theirs.close()
        return process, ours

    def _variables(self) -> dict[str, str]:
        """Nothing of the hub's or the operator's: /proc shows these to every environment below."""
        code = os.pathsep.join(str(folder) for folder in self._options.code)
        return {"PATH": os.defpath, "LANG": "C.UTF-8", "HOME": str(self._options.data), "PYTHONPATH": code}

    async def _listen(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        was_ready = False
        with contextlib.suppress(ConnectionError):
            async for line in reader:
                message: dict[str, Any] = json.loads(line)
                if "ready" in message:
                    was_ready = True
                    self._writer, self._fault = writer, None
                    self._settled.set()
                else:
                    self._answer(message)
        return was_ready

    def _answer(self, message: dict[str, Any]) -> None:
        answer = self._waiting.pop(message["start"], None)
        if answer is None or answer.done():
            return
        if "pid" in message:
            answer.set_result(message["pid"])
        else:
            answer.set_exception(CannotFork(message["error"]))

    def _forget_waiting(self) -> None:
        self.pid = self._writer = None
        self._settled.clear()
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(ParentGone())
        self._waiting.clear()

    def _refuse(self, fault: str) -> None:
        log.error("%s", fault)
        self._fault = fault
        self._settled.set()


def end(parent: WarmParent) -> None:
    """For the agent's own end: the closed socket ends it too, but only after what it is doing."""
    if parent.pid is not None:
        with crossing("end a warm parent"), contextlib.suppress(ProcessLookupError):
            os.kill(parent.pid, signal.SIGTERM)

"""Watches over one environment: starts its server, holds it to its limits, ends all of it, records how it ended.

It is a small process that outlives hub, agent and warm parent. Every descendant of the server is
below it for good, also one that called setsid or forked twice, because orphans become its children;
so at the end it can see that none is left. It waits in `sigtimedwait`, without threads or polling.
"""

import contextlib
import fcntl
import gc
import json
import os
import signal
import time
from pathlib import Path
from typing import Any

from environment.local import log
from environment.local.limits import Guard, guard
from environment.local.processes import adopt_orphans, descendants, start_time
from environment.local.records import Ended, read, write, write_exit
from environment.local.server_process import Serve, run_server

AWAITED = {signal.SIGCHLD, signal.SIGTERM}
"""Blocked by the warm parent before it forks, so that none is lost in between."""

_GRACE_AT_STOP = 5.0
_GRACE_AFTER_SERVER = 0.2
"""Seconds that descendants get after SIGTERM: long where a person stops, short where the server is gone."""


def supervise(folder: Path, serve: Serve) -> None:
    """Runs one start from its folder to its end. Returns at once where another one has it in hand."""
    os.setsid()
    gc.disable()
    os.chdir(folder)
    log.become_output(folder / "log")
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    if _lock(folder / "lock") is None or read(folder / "exit.json") or read(folder / "supervisor.json"):
        return
    try:
        ended = _run(folder, serve)
    except OSError as error:
        ended = Ended("never_started", f"The environment's process could not be prepared: {error}")
    write_exit(folder, ended)


def _run(folder: Path, serve: Serve) -> Ended:
    spec: dict[str, Any] = json.loads((folder / "spec.json").read_text())
    if read(folder / "stop.json"):
        return Ended("stopped")
    workspace = _lock(Path(spec["lock"]))
    if workspace is None:
        return Ended("never_started", "Another environment is running with this workspace.")
    try:
        _prepare(folder, spec)
        group = Path(spec["group"]) if spec["group"] else None
        return Supervisor(folder, spec, guard(spec["memory"], spec["processes"], spec["cpu"], group)).run(serve)
    finally:
        os.close(workspace)  # before the end is recorded: who reads of it may start anew at once


def _prepare(folder: Path, spec: dict[str, Any]) -> None:
    """The socket's folder, and in it a short path to a temporary folder that lies beside the data."""
    Path(spec["runtime"]).mkdir(mode=0o700, exist_ok=True)
    (folder / "tmp").mkdir(mode=0o700, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        Path(spec["temporary"]).symlink_to(folder / "tmp")


def _lock(path: Path) -> int | None:
    """A descriptor that holds the lock, or None where another process does. Forks hold it too, programs do not."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


class Supervisor:
    def __init__(self, folder: Path, spec: dict[str, Any], limits: Guard) -> None:
        self._folder, self._spec, self._limits = folder, spec, limits
        self._pid = os.getpid()
        self._status: int | None = None
        """The server's wait status once it has ended."""

    def run(self, serve: Serve) -> Ended:
        adopt_orphans()
        self._server = os.fork()
        if self._server == 0:
            os._exit(run_server(self._spec, self._limits, serve, self._pid))
        try:
            self._record()
            ended = self._watch()
        finally:
            self._end_all(_GRACE_AT_STOP if self._status is None else _GRACE_AFTER_SERVER)
        self._limits.close()
        return Ended(ended.why, ended.detail, self._exit_code(), self._limits.peak)

    def _record(self) -> None:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        named = {"pid": self._pid, "start_time": start_time(self._pid), "boot_id": boot, "server": self._server}
        write(self._folder / "supervisor.json", named)

    def _watch(self) -> Ended:
        """Until the server ends, passes a limit or is told to stop."""
        while True:
            came = signal.sigtimedwait(AWAITED, self._limits.pause)
            if came and came.si_signo == signal.SIGTERM:
                return Ended(**(read(self._folder / "stop.json") or {"why": "stopped"}))
            self._reap()
            if breach := self._limits.breach(descendants(self._pid)):
                self._end_all(0)
                return Ended(breach.why, breach.detail)
            if self._status is not None:
                return self._by_itself(self._status)
            log.cut()

    def _by_itself(self, status: int) -> Ended:
        if os.WIFSIGNALED(status):
            return Ended("killed", signal.Signals(os.WTERMSIG(status)).name)
        return Ended("exited")

    def _exit_code(self) -> int | None:
        return os.WEXITSTATUS(self._status) if self._status is not None and os.WIFEXITED(self._status) else None

    def _reap(self) -> None:
        """Take the exit status of every child that has ended, adopted ones included."""
        with contextlib.suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG)) != (0, 0):
                if ended[0] == self._server:
                    self._status = ended[1]

    def _end_all(self, grace: float) -> None:
        """SIGTERM to every descendant, SIGKILL to those that are left after `grace` seconds, until there are none."""
        deadline = time.monotonic() + grace
        if grace:
            _send(descendants(self._pid), signal.SIGTERM)
        while True:
            self._reap()
            left = descendants(self._pid)
            if not left:
                return
            if time.monotonic() >= deadline:
                _send(left, signal.SIGSTOP)  # first, so that none forks away from its end
                _send(left, signal.SIGKILL)
            signal.sigtimedwait({signal.SIGCHLD}, 0.02)


def _send(pids: list[int], number: signal.Signals) -> None:
    """Descendants keep their numbers until they are reaped, which only happens here or below them."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)

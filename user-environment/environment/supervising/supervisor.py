"""Watches over one environment: starts its server, holds it to its limits, ends all of it, says how it ended.

Every descendant of the server is below it for good, also one that called setsid or forked twice,
because orphans become its children; so at the end it can see that none is left. It waits in
`sigtimedwait`, without threads or polling.
"""

import contextlib
import os
import signal
import time
from typing import Any, Protocol

from environment.confining import first_process
from environment.supervising.ended import Ended
from environment.supervising.limits import Guard
from environment.supervising.processes import adopt_orphans, descendants
from environment.supervising.server_process import Serve, run_server

AWAITED = {signal.SIGCHLD, signal.SIGTERM}
"""Blocked before the supervisor begins, so that none is lost in between."""

_GRACE_AT_STOP = 5.0
_GRACE_AFTER_SERVER = 0.2
"""Seconds that descendants get after SIGTERM: long where a person stops, short where the server is gone."""


class Records(Protocol):
    """Where a supervisor writes down what it does, and reads why it is told to end."""

    def started(self, server: int, first: int | None) -> None:
        """The numbers are known of the server and, where it has a namespace of processes, of the first one there."""

    def ordered_to_end(self) -> Ended:
        """SIGTERM came: how the end is to be called."""

    def tidy(self) -> None:
        """Called between two looks at the limits, or at what has not ended yet."""


class Supervisor:
    """Call `run` once, in a process in which `AWAITED` are blocked."""

    def __init__(self, spec: dict[str, Any], limits: Guard, records: Records) -> None:
        self._spec, self._limits, self._records = spec, limits, records
        self._pid = os.getpid()
        self._server: int | None = None
        self._status: int | None = None
        """The server's wait status once it has ended."""
        self._first: int | None = None
        """Where what it starts is in a namespace of its own: the first process there, which is Podium's."""

    def run(self, serve: Serve) -> Ended:
        adopt_orphans()
        try:
            ended = self._seen_through(serve)
        finally:
            self._limits.close()
        return Ended(ended.why, ended.detail, self._exit_code(), self._limits.peak)

    def _seen_through(self, serve: Serve) -> Ended:
        """When this returns or raises, nothing is left below."""
        try:
            self._part()
            server = os.fork()
            if server == 0:
                os._exit(run_server(self._spec, self._limits, serve, self._pid))
            self._server = server
            self._records.started(server, self._first)
            return self._watch()
        finally:
            self._end_all(_GRACE_AT_STOP if self._status is None else _GRACE_AFTER_SERVER)

    def _part(self) -> None:
        """From its own processes on, an environment that is kept apart has numbers of its own, where that is possible."""
        confinement = self._spec.get("confinement")
        if confinement and first_process.is_possible():
            self._first = first_process.begin(as_root=confinement.get("account") is not None)
            confinement["own_processes"] = True

    def _watch(self) -> Ended:
        """Until the server ends, passes a limit or is told to stop."""
        while True:
            came = signal.sigtimedwait(AWAITED, self._limits.pause)
            if came and came.si_signo == signal.SIGTERM:
                self._limits.breach(self._below())  # for the peak: it may have run for less than the first pause
                return self._records.ordered_to_end()
            self._reap()
            if breach := self._limits.breach(self._below()):
                self._end_all(0)
                return Ended(breach.why, breach.detail)
            if self._status is not None:
                return self._by_itself(self._status)
            self._records.tidy()

    def _by_itself(self, status: int) -> Ended:
        if os.WIFSIGNALED(status):
            return Ended("killed", _name_of(os.WTERMSIG(status)))
        return Ended("exited")

    def _exit_code(self) -> int | None:
        return os.WEXITSTATUS(self._status) if self._status is not None and os.WIFEXITED(self._status) else None

    def _reap(self) -> None:
        """Take the exit status of every child that has ended, adopted ones included."""
        with contextlib.suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG)) != (0, 0):
                if ended[0] == self._server:
                    self._status = ended[1]
                elif ended[0] == self._first:
                    self._first = None

    def _end_all(self, grace: float) -> None:
        """SIGTERM to all that runs, SIGKILL to those that are left after `grace` seconds, until there are none."""
        deadline = time.monotonic() + grace
        if grace:
            _send(self._below(), signal.SIGTERM)
        while True:
            self._reap()
            left = self._below()
            if not left:
                return self._end_first()
            if time.monotonic() >= deadline:
                _send(left, signal.SIGSTOP)  # first, so that none forks away from its end
                _send([*left, *([self._first] if self._first else [])], signal.SIGKILL)
            self._records.tidy()
            signal.sigtimedwait({signal.SIGCHLD}, 0.02)

    def _end_first(self) -> None:
        if self._first is not None:
            os.kill(self._first, signal.SIGKILL)
            os.waitpid(self._first, 0)
            self._first = None

    def _below(self) -> list[int]:
        """What the environment runs."""
        return [pid for pid in descendants(self._pid) if pid != self._first]


def _name_of(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # most of the real-time ones have none
        return f"signal {number}"


def _send(pids: list[int], number: signal.Signals) -> None:
    """Descendants keep their numbers until they are reaped, which only happens here or below them."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)

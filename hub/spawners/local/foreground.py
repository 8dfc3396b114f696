"""Keeps an agent running in a service of its own, as the first process of a container.

An agent that dies is started anew, so that environments go on. Whatever ends without a parent is reaped, as the first process
has to. Told to end, it ends the agent; what still runs ends with the container, and the next agent knows it as lost.
"""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Sequence

from hub.seam import crossing
from hub.spawners.local.agent import REFUSED
from hub.spawners.local.launch import AGENT
from hub.spawners.local.options import ROOT, Options

_PAUSE = 1.0


class Foreground:
    """`run` until told to end."""

    def __init__(self, options: Options, command: Sequence[str] = AGENT) -> None:
        self._command = [*command, *options.arguments()]
        self._ending = False
        self._agent = 0

    def run(self) -> int:
        """The exit code."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._end)
        while not self._ending:
            with crossing("start the agent"):
                self._agent = subprocess.Popen(self._command, cwd=ROOT).pid  # noqa: S603 (our own program)
            if self._ending:
                self._pass_on()  # it came while the agent was being started
            if self._until_it_ends() == REFUSED:
                return REFUSED
            time.sleep(0 if self._ending else _PAUSE)
        return 0

    def _until_it_ends(self) -> int:
        while True:
            pid, status = os.wait()
            if pid == self._agent:
                self._agent = 0
                return os.waitstatus_to_exitcode(status)

    def _end(self, _number: int, _frame: object) -> None:
        self._ending = True
        self._pass_on()

    def _pass_on(self) -> None:
        """Nothing happens between two agents."""
        if self._agent:
            with crossing("end the agent"), contextlib.suppress(ProcessLookupError):
                os.kill(self._agent, signal.SIGTERM)

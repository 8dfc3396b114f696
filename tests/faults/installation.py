"""One Podium on one machine, whose hub and agent are killed again and again."""

import contextlib
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hub.settings import ROOT, Settings
from hub.spawners.local.client import LocalSpawner
from hub.spawners.local.folders import Folders, folders_at
from hub.spawners.local.launch import stop_agent
from tests.faults import machine
from tests.faults.forge import Forge
from tests.faults.hubs import Hub, Hubs, ending_of
from tests.faults.machine import Kind
from tests.support import leaks


class Installation(Hubs):
    """Make it with `installed`."""

    def __init__(self, forge: Forge, folder: Path, **changes: Any) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.data = folder / "data"
        self.folders: Folders = folders_at(self.data)
        super().__init__(
            forge,
            folder,
            Settings(
                data_dir=self.data,
                port=0,
                environment_python=_interpreter(folder),
                max_user_pods=20,
                isolation="none",  # what forks quickly here has no probe
                **{"memory_for_environments": "64Gi", **changes},
            ),
        )

    @property
    def log(self) -> str:
        return "\n".join((super().log, ending_of(self.folders.agent_log)))

    def _made(self, *, replica: bool) -> Hub:
        hub = super()._made(replica=replica)
        self._keep_agent()
        return hub

    def kill_everything_but_environments(self) -> None:
        """Hub and agent; the warm parent ends with the agent."""
        agent = self.pid_of(Kind.AGENT)
        self.hub.kill()
        os.kill(agent, signal.SIGKILL)

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
        super().close()
        stop_agent(self.settings)


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

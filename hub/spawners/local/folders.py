"""Where the agent keeps things."""

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

from hub.seam import crossing
from hub.spawners.checks import checked_id, is_id
from hub.spawners.local.owned import OF_GROUP, PASSABLE, PRIVATE, own_folder
from hub.spawners.local.runtime import runtime_of


@dataclass(frozen=True)
class StartFolder:
    """What is kept of one start. The supervisor writes `supervisor.json` and `exit.json`."""

    path: Path

    @property
    def spec(self) -> Path:
        return self.path / "spec.json"

    @property
    def checkpoints(self) -> Path:
        return self.path / "checkpoints"

    @property
    def supervisor(self) -> Path:
        return self.path / "supervisor.json"

    @property
    def stop(self) -> Path:
        return self.path / "stop.json"

    @property
    def exit(self) -> Path:
        return self.path / "exit.json"

    @property
    def log(self) -> Path:
        return self.path / "log"


@dataclass(frozen=True)
class Folders:
    """The agent's folders below the data folder, and the runtime folder.

    `passable`: environments with accounts of their own go through to what is theirs, by names that they were told.
    `group` may connect to all sockets and read the agent's secret: a hub and a proxy that run as somebody else.
    """

    data: Path
    runtime: Path
    passable: bool = False
    group: int | None = None

    @property
    def workspaces(self) -> Path:
        return self.data / "workspaces"

    @property
    def starts(self) -> Path:
        return self.data / "starts"

    @property
    def locks(self) -> Path:
        return self.data / "locks"

    @property
    def trash(self) -> Path:
        return self.data / "trash"

    @property
    def agent_socket(self) -> Path:
        return self.runtime / "agent"

    @property
    def shared_secret(self) -> Path:
        """The agent's, for those of `group`."""
        return self.runtime / "secret"

    @property
    def agent_lock(self) -> Path:
        return self.data / "agent.lock"

    @property
    def agent_log(self) -> Path:
        return self.data / "agent.log"

    @property
    def agent_secret(self) -> Path:
        return self.data / "agent.secret"

    def workspace(self, workspace_id: str) -> Path:
        return self.workspaces / checked_id(workspace_id)

    def workspace_ids(self) -> list[str]:
        """Of the workspaces that are there; what else lies beside them is none."""
        return [entry.name for entry in os.scandir(self.workspaces) if is_id(entry.name)]

    def lock(self, workspace_id: str) -> Path:
        """Held by the supervisor that runs with this workspace."""
        return self.locks / checked_id(workspace_id)

    def start(self, start_id: str) -> StartFolder:
        return StartFolder(self.starts / checked_id(start_id))

    def socket_folder(self, start_id: str) -> Path:
        return self.runtime / checked_id(start_id)

    def socket(self, start_id: str) -> Path:
        return self.socket_folder(start_id) / "s"

    def prepare(self) -> None:
        """Make what is missing; raises `CannotStart` where a folder cannot be made or is not ours."""
        own_folder(self.data)
        for folder in (self.locks, self.trash):
            own_folder(folder)
        for folder in (self.data, self.workspaces, self.starts):
            own_folder(folder, PASSABLE if self.passable else PRIVATE)
        own_folder(self.runtime)
        if self.group is not None:
            with crossing("open the runtime folder to the group"):
                os.chown(self.runtime, -1, self.group)
                self.runtime.chmod(OF_GROUP)


def folders_at(data: Path, runtime: Path | None = None) -> Folders:
    """The folders of one data folder. Nothing is made yet. Raises `CannotStart` for a runtime folder with too long a path."""
    data = data.absolute()
    return Folders(data, runtime_of(data, runtime))


def remove_sockets(folders: Folders, start_id: str) -> None:
    """Of a start that has ended; its temporary files stay beside its log until it is forgotten."""
    folder = folders.socket_folder(start_id)
    if not folder.exists():
        return
    with crossing("remove a start's socket"), contextlib.suppress(OSError):
        for name in os.listdir(folder):  # noqa: PTH208 (names are enough)
            (folder / name).unlink()
        folder.rmdir()

"""Where the agent keeps things, and the check that nobody else could have put them there.

The data folder may lie at any depth, but a Unix socket's path ends at 107 bytes, so sockets lie in
a runtime folder with a short path of its own. It is in `/tmp` unless the person's `/run/user`
stays after logout (lingering): environments outlive a login, and their sockets must too.
"""

import contextlib
import hashlib
import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path

from hub.errors import CannotStart
from hub.seam import crossing
from hub.spawners.checks import checked_id, is_id

_PRIVATE, _OF_GROUP, _PASSABLE = 0o700, 0o710, 0o711
"""Modes of folders: through the second one a group may go, through the third one others, and they see nothing in it."""
_LONGEST_RUNTIME = 64
"""Leaves room for `/<32 digits>/s` below the 107 bytes of a socket's path, with some to spare."""


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
            own_folder(folder, _PASSABLE if self.passable else _PRIVATE)
        own_folder(self.runtime)
        if self.group is not None:
            with crossing("open the runtime folder to the group"):
                os.chown(self.runtime, -1, self.group)
                self.runtime.chmod(_OF_GROUP)


def folders_at(data: Path, runtime: Path | None = None) -> Folders:
    """The folders of one data folder. Nothing is made yet."""
    data = data.absolute()
    runtime = (runtime or _default_runtime(data)).absolute()
    if len(os.fsencode(runtime)) > _LONGEST_RUNTIME:
        raise CannotStart(
            f"The runtime folder {runtime} has too long a path for sockets: set RUNTIME_DIR to one of at most "
            f"{_LONGEST_RUNTIME} characters."
        )
    return Folders(data, runtime)


def _default_runtime(data: Path) -> Path:
    mark = hashlib.sha256(os.fsencode(data.resolve())).hexdigest()[:12]
    user = Path(f"/run/user/{os.getuid()}")
    if _lingers() and os.access(user, os.W_OK):
        return user / f"podium-{mark}"
    return Path(f"/tmp/podium-{os.getuid()}-{mark}")  # noqa: S108 (its owner and mode are checked before use)


def _lingers() -> bool:
    try:
        return Path("/var/lib/systemd/linger", pwd.getpwuid(os.getuid()).pw_name).exists()
    except (KeyError, OSError):
        return False


def own_folder(path: Path, mode: int = _PRIVATE) -> None:
    """A folder of this user's that nobody else may read. Made where it is missing, refused where it is foreign."""
    try:
        if not path.exists():
            with crossing("make a folder"):
                path.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)
        found = path.lstat()
    except OSError as error:
        raise CannotStart(
            f"The folder {path} cannot be made ({error.strerror}): give this account the right to write there, "
            "or choose another folder with DATA_DIR or RUNTIME_DIR."
        ) from error
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o777 & ~_PASSABLE:
        raise CannotStart(
            f"The folder {path} is not this account's alone (it may be a link, another account's, or open to others): "
            "come as the account that it belongs to, close it to others, or choose another folder with DATA_DIR or RUNTIME_DIR."
        )
    if mode & ~found.st_mode:
        with crossing("open a folder to those who go through"):
            path.chmod(mode)


def remove_sockets(folders: Folders, start_id: str) -> None:
    """Of a start that has ended; its temporary files stay beside its log until it is forgotten."""
    folder = folders.socket_folder(start_id)
    if not folder.exists():
        return
    with crossing("remove a start's socket"), contextlib.suppress(OSError):
        for name in os.listdir(folder):  # noqa: PTH208 (names are enough)
            (folder / name).unlink()
        folder.rmdir()

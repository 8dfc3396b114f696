"""The workspaces' folders: made, measured, archived, deleted. The hub never opens one by its path."""

import fcntl
import logging
import os
import secrets
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hub.errors import Conflict
from hub.seam import crossing
from hub.spawners.files.archive import archive
from hub.spawners.files.size import size
from hub.spawners.files.tree import empty
from hub.spawners.local.folders import Folders

log = logging.getLogger(__name__)


class Workspaces:
    """Safe to call from several threads; each call may take as long as the disk does."""

    def __init__(self, folders: Folders) -> None:
        self._folders = folders
        self._emptying = threading.Lock()

    def make(self, workspace_id: str) -> Path:
        """The folder, made where it is missing, for nobody but this account. Raises OSError."""
        folder = self._folders.workspace(workspace_id)
        if not folder.exists():
            with crossing("make a workspace"):
                folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode):
            raise NotADirectoryError(20, "The workspace's folder was replaced by something else", str(folder))
        if found.st_mode & 0o077:
            with crossing("close a workspace to others"):
                folder.chmod(0o700)
        return folder

    def ids(self) -> list[str]:
        """Of those that are there."""
        return self._folders.workspace_ids()

    def size(self, workspace_id: str) -> int:
        return size(self._folders.workspace(workspace_id))

    def archive(self, workspace_id: str) -> Iterator[bytes]:
        return archive(self._folders.workspace(workspace_id))

    def delete(self, workspace_id: str) -> None:
        """Out of sight when this returns; `empty_trash` frees the disk. Raises `Conflict` while a start holds it."""
        with self._held(workspace_id):
            self.discard(self._folders.workspace(workspace_id))

    def discard(self, path: Path) -> None:
        """Move a folder to the trash in one step. Nothing happens where it is gone already."""
        with crossing("move to the trash"):
            try:
                path.rename(self._folders.trash / secrets.token_hex(16))
            except FileNotFoundError:
                return

    def empty_trash(self) -> None:
        """Delete what was discarded, also what an agent that was killed has left."""
        with self._emptying:
            for fault in empty(self._folders.trash):
                log.error("%s", fault)

    @contextmanager
    def _held(self, workspace_id: str) -> Iterator[None]:
        """The lock that a supervisor holds while it runs with the workspace."""
        descriptor = os.open(self._folders.lock(workspace_id), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
        except BlockingIOError as error:
            raise Conflict("An environment is running with this workspace: stop it first.") from error
        finally:
            os.close(descriptor)

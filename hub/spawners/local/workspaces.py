"""The workspaces' folders: made, measured, archived, deleted. The hub never opens one by its path.

A folder that is discarded keeps its place and gets another name: root that may not write in others' folders may not move them.
"""

import fcntl
import logging
import os
import secrets
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from hub.errors import Conflict
from hub.seam import crossing
from hub.spawners.base import Size
from hub.spawners.local import as_owner, leftovers
from hub.spawners.local.accounts import Accounts
from hub.spawners.local.folders import Folders
from hub.spawners.local.processes import memory_of
from hub.spawners.local.quota import Quotas
from hub.spawners.local.rights import may_look_into_others
from hub.spawners.local.start import Start

log = logging.getLogger(__name__)

_DELETED = "deleted-"


class Workspaces:
    """Safe to call from several threads; each call may take as long as the disk does."""

    def __init__(self, folders: Folders, accounts: Accounts | None = None, quotas: Quotas | None = None) -> None:
        self._folders, self._accounts, self._quotas = folders, accounts, quotas
        self._emptying = threading.Lock()

    def make(self, workspace_id: str) -> Path:
        """The folder, made where it is missing, for nobody but its owner. Raises OSError."""
        folder = self._folders.workspace(workspace_id)
        if not folder.exists():
            with crossing("make a workspace"):
                folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode):
            raise NotADirectoryError(20, "The workspace's folder was replaced by something else", str(folder))
        if self._accounts:
            self._accounts.settle(folder)
        elif found.st_mode & 0o077:
            with crossing("close a workspace to others"):
                folder.chmod(0o700)
        return folder

    def hold(self, workspace_id: str, storage: int) -> None:
        """To so many bytes of the disk from now on, where its file system can."""
        account = self._account_of(self._folders.workspace(workspace_id))
        if self._quotas and account is not None:
            self._quotas.hold(account, storage)

    def memory_of(self, workspace_id: str) -> Callable[[list[int]], int]:
        """What adds up the memory of the processes that run with the workspace. Whoever may look into all asks itself."""
        return memory_of if may_look_into_others() else partial(as_owner.memory, self._folders.workspace(workspace_id))

    def end_leftovers(self, start: Start, *, alone: bool) -> int:
        """Kill what a killed supervisor left behind of a start; how many remain.

        All that runs under the workspace's own account, where it has one and this start has it alone.
        """
        workspace = self._folders.workspace(start.spec.workspace_id)
        account = self._account_of(workspace) if alone else None
        if account is None:
            return as_owner.end_marked(workspace, start.id, start.folder.path)
        return leftovers.end_all_of(account)

    def ids(self) -> list[str]:
        """Of those that are there."""
        return self._folders.workspace_ids()

    def size(self, workspace_id: str) -> Size:
        folder = self._folders.workspace(workspace_id)
        used, account = as_owner.size(folder), self._account_of(folder)
        return Size(used, self._quotas.held(account) if self._quotas and account is not None else None)

    def archive(self, workspace_id: str) -> Iterator[bytes]:
        return as_owner.archive(self._folders.workspace(workspace_id))

    def delete(self, workspace_id: str) -> None:
        """Out of sight when this returns; `empty_trash` frees the disk. Raises `Conflict` while a start holds it."""
        with self._held(workspace_id):
            _move(self._folders.workspace(workspace_id), self._folders.workspaces / f"{_DELETED}{secrets.token_hex(16)}")

    def discard(self, path: Path) -> None:
        """Move a folder of Podium's own to the trash in one step. Nothing happens where it is gone already."""
        _move(path, self._folders.trash / secrets.token_hex(16))

    def empty_trash(self) -> None:
        """Delete what was deleted and discarded, also what an agent that was killed has left."""
        with self._emptying:
            faults = [fault for folder in self._folders.workspaces.glob(f"{_DELETED}*") for fault in self._remove(folder)]
            for fault in faults + as_owner.clear(self._folders.trash):
                log.error("%s", fault)

    def _remove(self, folder: Path) -> list[str]:
        """Its quota first: while the folder is there, its owner is known."""
        account = self._account_of(folder)
        if self._quotas and account is not None:
            self._quotas.release(account)
        return as_owner.remove(folder)

    def _account_of(self, folder: Path) -> int | None:
        """Nobody else's: None where it has none of its own."""
        return self._accounts.of(folder) if self._accounts else None

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


def _move(path: Path, to: Path) -> None:
    with crossing("move to the trash"):
        try:
            path.rename(to)
        except FileNotFoundError:
            return

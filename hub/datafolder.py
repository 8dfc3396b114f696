"""The data folder: made private, checked before anything is written, and held by one hub at a time.

SQLite's locks and the environments' sockets do not work on network file systems, so those are
refused with a sentence instead of losing work later.
"""

import fcntl
import os
import secrets
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TextIO

from hub.errors import CannotStart

NETWORK_FILE_SYSTEMS = {
    "nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "ncpfs", "ceph", "lustre", "glusterfs", "fuse.sshfs", "fuse.glusterfs",
    "fuse.ceph", "fuse.s3fs", "fuse.rclone", "9p", "ocfs2", "beegfs",
}  # fmt: skip
PASSABLE = 0o711
"""The folder's mode where environments with accounts of their own have to go through it: they see nothing in it."""
MIN_FREE = 64 * 2**20
"""Bytes that must be free before a hub starts."""


@dataclass
class DataFolder:
    """Paths inside the data folder. `lock` is held while a hub runs."""

    path: Path
    lock: TextIO | None = None

    @property
    def backups(self) -> Path:
        return self.path / "backups"

    @property
    def database(self) -> Path:
        """SQLite's, where no other one is named."""
        return self.path / "podium.db"

    def close_database(self) -> None:
        """It is for nobody else, also where others may go through the folder. SQLite takes an empty file for a new one."""
        self.database.touch(0o600)
        self.database.chmod(0o600)

    def secret(self, name: str) -> str:
        """A random secret kept in a private file, made at the first call."""
        file = self.path / f"{name}.secret"
        try:
            return file.read_text("ascii").strip()
        except FileNotFoundError:
            value = secrets.token_hex(32)
            _write_private(file, value)
            return value
        except OSError as error:
            raise CannotStart(f"{file} cannot be read: {error.strerror}.") from error

    def has(self, name: str) -> bool:
        """Whether that secret was made already."""
        return (self.path / f"{name}.secret").exists()

    def hold(self) -> None:
        """Become the one hub of this folder until the process ends. Raises `CannotStart`."""
        lock = self._opened_lock("a+")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            running = lock.read().splitlines()
            lock.close()
            where = f" at {running[1]}" if len(running) > 1 else ""
            raise CannotStart(f"Podium is already running{where}. End it with Ctrl-C there, or with: make down") from None
        self.lock = lock

    def name_holder(self, url: str) -> None:
        """Write down, for `down` and for a second `up`, which process holds the folder and where it serves."""
        assert self.lock is not None
        self.lock.truncate(0)
        self.lock.write(f"{os.getpid()}\n{url}\n")
        self.lock.flush()

    def holder(self) -> int | None:
        """The process id of the hub that runs here, or None. Raises `CannotStart`."""
        try:
            lock = self._opened_lock("r+")
        except FileNotFoundError:
            return None
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                first = lock.read().split("\n", 1)[0]
                return int(first) if first.isdigit() else None
        return None

    def _opened_lock(self, mode: Literal["a+", "r+"]) -> TextIO:
        """Raises FileNotFoundError where there is none to read, and `CannotStart` for one of another account's."""
        file = self.path / "hub.lock"
        try:
            return file.open(mode, encoding="utf-8")
        except PermissionError as error:
            raise CannotStart(
                f"{file} belongs to another account: Podium was started as that one here, perhaps with sudo. Start it as that "
                f"account again, or give all of the folder to this one: sudo chown -R {os.getuid()} {self.path}"
            ) from error

    def release(self) -> None:
        if self.lock:
            self.lock.close()
            self.lock = None


def prepare(path: Path) -> DataFolder:
    """The folder, made where it is missing, private and fit for use. Raises `CannotStart`."""
    path = path.resolve()
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if stat.S_IMODE(path.stat().st_mode) != PASSABLE:
            path.chmod(0o700)
        _refuse_network(path)
        probe = path / f".probe-{os.getpid()}"
        probe.write_text("Podium can write here.\n", "utf-8")
        probe.unlink()
    except OSError as error:
        raise _unwritable(path, error.strerror) from error
    _refuse_full(path)
    return DataFolder(path)


def look_at(path: Path) -> DataFolder:
    """The folder as it is or would be made, with nothing made or changed. Raises `CannotStart` where `prepare` would."""
    path = path.resolve()
    there = next(folder for folder in (path, *path.parents) if os.path.lexists(folder))
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        raise _unwritable(path, f"{there} is no folder, or this account may not write there")
    _refuse_network(path)
    _refuse_full(there)
    return DataFolder(path)


def _unwritable(path: Path, why: str | None) -> CannotStart:
    return CannotStart(f"The data folder {path} cannot be written: {why}. Free or repair it, or name another one in DATA_DIR.")


def _refuse_full(path: Path) -> None:
    free = shutil.disk_usage(path).free
    if free < MIN_FREE:
        raise CannotStart(
            f"The disk of the data folder {path} is full: {free // 2**20} MiB are free and {MIN_FREE // 2**20} MiB are needed."
        )


def _refuse_network(path: Path) -> None:
    kind = file_system(path, Path("/proc/self/mountinfo").read_text("utf-8"))
    if kind in NETWORK_FILE_SYSTEMS:
        raise CannotStart(
            f"The data folder {path} lies on a network file system ({kind}), where databases and sockets break. "
            "Name a folder on a local disk in DATA_DIR."
        )


def file_system(path: Path, mountinfo: str) -> str:
    """The type of the file system that holds `path`, from the text of `/proc/self/mountinfo`."""
    best, kind = "", ""
    for line in mountinfo.splitlines():
        left, _, right = line.partition(" - ")
        mount = left.split()[4].encode().decode("unicode_escape")
        inside = mount == "/" or path == Path(mount) or Path(mount) in path.parents
        if inside and len(mount) >= len(best):
            best, kind = mount, right.split()[0]
    return kind


def _write_private(file: Path, value: str) -> None:
    """Whole or not at all: a crash leaves no half secret behind."""
    temporary = file.with_suffix(f".{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as stream:
        stream.write(value + "\n")
        stream.flush()
        os.fsync(stream.fileno())
    temporary.rename(file)

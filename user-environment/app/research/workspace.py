"""The one folder that everything happens in, and how paths stay inside it.

A path that comes from a page is text that anybody may have written: it is relative, and what it
leads to, links followed, must lie in the workspace. A link that leads out is listed and can be
deleted, but is never followed.
"""

import os
import shutil
import stat
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from .faults import WorkspaceFault, translated

_LONGEST_NAME = 255
_LONGEST_PATH = 4096
PART_PREFIX = ".podium-"
"""Begins the name of a file that is being written; such files are never listed."""


@dataclass(frozen=True)
class Entry:
    """A file or folder. `path` is relative to the workspace."""

    path: str
    is_folder: bool
    leads_out: bool
    size: int
    changed: datetime

    @property
    def name(self) -> str:
        return PurePosixPath(self.path).name


class Workspace:
    def __init__(self, root: Path) -> None:
        self.root = Path(os.path.realpath(root))

    def resolve(self, path: str) -> Path:
        """The real place of a relative path; it need not exist. Raises `WorkspaceFault`."""
        _check(path)
        with translated():
            real = Path(os.path.realpath(self.root / path))
        if not real.is_relative_to(self.root):
            raise WorkspaceFault("This path leads out of your workspace.")
        return real

    def entries(self, folder: str = "") -> list[Entry]:
        """What lies in a folder, folders first. Hidden files are left out."""
        with translated(), os.scandir(self.resolve(folder)) as found:
            entries = [self.entry(str(PurePosixPath(folder, item.name))) for item in found if not item.name.startswith(".")]
        return sorted(entries, key=lambda entry: (not entry.is_folder, entry.name.lower()))

    def entry(self, path: str) -> Entry:
        _check(path)
        inside = self.resolve(str(PurePosixPath(path).parent)) / PurePosixPath(path).name
        with translated():
            leads_out = inside.is_symlink() and not Path(os.path.realpath(inside)).is_relative_to(self.root)
            facts = inside.lstat() if leads_out or not inside.exists() else inside.stat()
        is_folder = stat.S_ISDIR(facts.st_mode)
        changed = datetime.fromtimestamp(facts.st_mtime, UTC)
        return Entry(path, is_folder, leads_out, 0 if is_folder else facts.st_size, changed)

    def is_folder(self, path: str) -> bool:
        return self.resolve(path).is_dir()

    def make_folder(self, folder: str, name: str) -> str:
        """Make a folder and give its path."""
        path = str(PurePosixPath(folder, proper_name(name)))
        with translated():
            self.resolve(path).mkdir()
        return path

    def delete(self, path: str) -> None:
        """Delete a file, a folder with all that it holds, or a link but not what it leads to."""
        name = PurePosixPath(path).name
        _check(path)
        if not name:
            raise WorkspaceFault("The workspace itself is deleted on Podium's Workspaces page, not here.")
        target = self.resolve(str(PurePosixPath(path).parent)) / name
        with translated():
            if target.is_dir() and not target.is_symlink():
                shutil.rmtree(target)
            else:
                target.unlink()


def proper_name(name: str) -> str:
    """A name for a new file or folder. Raises `WorkspaceFault` where it cannot be one."""
    plain = name.strip()
    if plain in {"", ".", ".."}:
        raise WorkspaceFault("A name is needed.")
    if "/" in plain or "\\" in plain:
        raise WorkspaceFault("A name has no slash in it; open the folder first.")
    if plain.startswith("."):
        raise WorkspaceFault("A name that begins with a dot would be hidden; choose another one.")
    if not plain.isprintable():
        raise WorkspaceFault("The name holds characters that cannot be shown.")
    _check(plain)
    return plain


def _check(path: str) -> None:
    pure = PurePosixPath(path)
    if "\0" in path:
        raise WorkspaceFault("The name holds characters that cannot be shown.")
    if pure.is_absolute() or ".." in pure.parts:
        raise WorkspaceFault("This path leads out of your workspace.")
    lengths = [len(os.fsencode(part)) for part in pure.parts]
    if any(length > _LONGEST_NAME for length in lengths) or sum(lengths) + len(lengths) > _LONGEST_PATH:
        raise WorkspaceFault("The name is too long. Names have at most 255 bytes.")

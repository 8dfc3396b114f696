"""A root folder of its own in which only what was chosen is there: a mount namespace, in a user namespace where it is not root.

What is not there cannot be named, so neither can a Unix socket: Landlock (up to version 7) knows no right over connections
to those. Where the kernel, a container or a distribution forbids such namespaces, nothing changes. See mount_namespaces(7).
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from environment.confining import mounts
from environment.confining.namespaces import MOUNTS, unshare

_ROOT_SIZE = 2**20
_EVERYBODY_S = 0o1777


@dataclass(frozen=True)
class Own:
    """What is nobody else's: shared memory of at most so many bytes, and where it is in a namespace of processes, these."""

    memory: tuple[Path, int]
    processes: Path | None = None

    def mount(self, root: Path) -> None:
        path, size = self.memory
        inside = _inside(root, path)
        inside.mkdir()
        mounts.empty_folder(inside, size, _EVERYBODY_S)
        if self.processes is not None:
            inside = _inside(root, self.processes)
            inside.mkdir()
            mounts.processes(inside)


@dataclass(frozen=True)
class Named:
    """What has a name there, its own, where it exists.

    What is `fixed` keeps its permissions and times, too, which Landlock knows no right over: it may belong to the same account.
    """

    fixed: Iterable[Path]
    changing: Iterable[Path]

    def bind(self, root: Path) -> None:
        for path in _outermost(self.fixed):
            mounts.read_only(_bound(path, root))
        for path in _outermost(self.changing):
            _bound(path, root)


def enter(named: Named, root: Path, link: tuple[Path, Path], own: Own, *, as_root: bool = False) -> bool:
    """Whether it was possible. `root` is a folder of which nothing is needed any more: this process sees the new root there.

    `link` is a name there and what it leads to. Call it in a process of one thread. Raises OSError where something fails half
    way: such a process must not go on. `as_root`: it is to become another account afterwards, which a user namespace of its
    own would not know.
    """
    if not mounts.can_change_root() or not unshare(MOUNTS, as_root=as_root) or not _is_private():
        return False
    mounts.empty_folder(root, _ROOT_SIZE)
    before = os.umask(0o022)  # whoever the process becomes goes through these folders
    named.bind(root)
    own.mount(root)
    name, target = link
    _inside(root, name).symlink_to(target)
    os.umask(before)
    mounts.change_root(root)
    return True


def _is_private() -> bool:
    try:
        mounts.keep_private()
    except OSError:
        return False  # some distributions give a user namespace no rights
    return True


def _outermost(paths: Iterable[Path]) -> list[Path]:
    """Those that are there and lie below no other."""
    kept: list[Path] = []
    for path in sorted({path for path in paths if path.exists()}):  # a folder is followed by all that lies below it
        if not kept or kept[-1] not in path.parents:
            kept.append(path)
    return kept


def _bound(path: Path, root: Path) -> Path:
    """Where it is below the new root. What a link leads to is there under the link's name."""
    inside = _inside(root, path)
    if path.is_dir():
        inside.mkdir(exist_ok=True)
    else:
        inside.touch()
    mounts.bind(path, inside)
    return inside


def _inside(root: Path, path: Path) -> Path:
    """Its place below the new root, in a folder that is there."""
    inside = root / path.relative_to("/")
    inside.parent.mkdir(parents=True, exist_ok=True)
    return inside

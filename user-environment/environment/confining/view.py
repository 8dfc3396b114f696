"""A root folder of its own in which only what was chosen is there: a mount namespace, in a user namespace where it is not root.

What is not there cannot be named, so neither can a Unix socket: Landlock (up to version 7) knows no right over connections
to those. Where the kernel, a container or a distribution forbids such namespaces, nothing changes. See
mount_namespaces(7), user_namespaces(7) and pivot_root(2).
"""

import ctypes
import os
import platform
from collections.abc import Iterable
from pathlib import Path

from environment.confining.kernel import checked, libc

_NEW_MOUNTS, _NEW_USER = 0x00020000, 0x10000000
_BIND, _RECURSIVE, _PRIVATE = 0x1000, 0x4000, 1 << 18
_DETACH = 2
_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}


def enter(paths: Iterable[Path], root: Path, link: tuple[Path, Path], *, as_root: bool = False) -> bool:
    """Whether it was possible. `root` is a folder of which nothing is needed any more: this process sees the new root there.

    Each of `paths` is there under its own name, where it exists. `link` is a name there and what it leads to. Call it in a
    process of one thread. Raises OSError where something fails half way: such a process must not go on.
    `as_root`: it is to become another account afterwards, which a user namespace of its own would not know.
    """
    if platform.machine() not in _PIVOT_ROOT or not _unshare(as_root=as_root):
        return False
    _mount(None, Path("/"), None, _RECURSIVE | _PRIVATE)
    _mount("tmpfs", root, "tmpfs", 0)
    before = os.umask(0o022)  # whoever the process becomes goes through these folders
    for path in _outermost(paths):
        _bind(path, root)
    name, target = link
    inside = root / name.relative_to("/")
    inside.parent.mkdir(parents=True, exist_ok=True)
    inside.symlink_to(target)
    os.umask(before)
    _pivot(root)
    return True


def _unshare(*, as_root: bool) -> bool:
    """Root needs no user namespace, but in a container it may be without the right to do without."""
    if os.geteuid() == 0 and libc.unshare(_NEW_MOUNTS) == 0:
        return True
    if as_root:
        return False
    user, group = os.geteuid(), os.getegid()
    if libc.unshare(_NEW_USER | _NEW_MOUNTS) != 0:
        return False
    try:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
        _mount(None, Path("/"), None, _RECURSIVE | _PRIVATE)
    except OSError:
        return False  # some distributions give such a namespace no rights
    return True


def _outermost(paths: Iterable[Path]) -> list[Path]:
    """Those that are there and lie below no other."""
    kept: list[Path] = []
    for path in sorted({path for path in paths if path.exists()}):  # a folder is followed by all that lies below it
        if not kept or kept[-1] not in path.parents:
            kept.append(path)
    return kept


def _bind(path: Path, root: Path) -> None:
    """What a link leads to is there under the link's name."""
    inside = root / path.relative_to("/")
    if path.is_dir():
        inside.mkdir(parents=True, exist_ok=True)
    else:
        inside.parent.mkdir(parents=True, exist_ok=True)
        inside.touch()
    _mount(str(path), inside, None, _BIND | _RECURSIVE)


def _mount(source: str | None, target: Path, kind: str | None, flags: int) -> None:
    arguments = (source and source.encode(), os.fsencode(target), kind and kind.encode())
    checked(libc.mount(*arguments, ctypes.c_ulong(flags), b"mode=755,size=1m" if kind else None))


def _pivot(root: Path) -> None:
    """The old root ends up on top of the new one, and is taken away from there."""
    os.chdir(root)
    checked(libc.syscall(_PIVOT_ROOT[platform.machine()], b".", b"."))
    checked(libc.umount2(b".", _DETACH))
    os.chdir("/")

"""What is seen where, in a mount namespace of this process's own. See mount(2), mount_setattr(2) and pivot_root(2)."""

import ctypes
import errno
import os
import platform
import struct
from pathlib import Path

from environment.confining.kernel import checked, libc

_NO_SUID, _NO_DEVICES, _NO_PROGRAMS = 2, 4, 8
_BIND, _RECURSIVE, _PRIVATE = 0x1000, 0x4000, 1 << 18
_DETACH = 2
_SET_ATTRIBUTES, _HERE, _ALL_BELOW, _READ_ONLY = 442, -100, 0x8000, 1
_MACHINE_S = ("sys", "sysrq-trigger", "irq", "bus", "fs")
"""In `/proc`, and not of processes. By the permissions of the files root may change them without any right of root's."""
_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}


def can_change_root() -> bool:
    """Whether the call's number on this machine is known."""
    return platform.machine() in _PIVOT_ROOT


def keep_private() -> None:
    """From here on nobody else sees what this process mounts. Raises OSError where it has not the right to."""
    _mount(None, Path("/"), None, _RECURSIVE | _PRIVATE)


def empty_folder(path: Path, size: int, mode: int = 0o755) -> None:
    """One in memory, of at most so many bytes."""
    _mount("tmpfs", path, "tmpfs", 0, f"mode={mode:o},size={size}".encode())


def bind(source: Path, target: Path) -> None:
    _mount(str(source), target, None, _BIND | _RECURSIVE)


def read_only(path: Path) -> None:
    """What is mounted there and below it: neither contents nor permissions, times or owners can be changed.

    Nothing happens before Linux 5.12, which does not know how.
    """
    attributes = struct.pack("4Q", _READ_ONLY, 0, 0, 0)
    call = (_SET_ATTRIBUTES, _HERE, os.fsencode(path), _ALL_BELOW, attributes, ctypes.c_size_t(len(attributes)))
    try:
        checked(libc.syscall(*call))
    except OSError as error:
        if error.errno != errno.ENOSYS:
            raise


def processes(path: Path) -> None:
    """What the kernel knows of those in this process's namespace."""
    _mount("proc", path, "proc", _NO_SUID | _NO_DEVICES | _NO_PROGRAMS)
    for settings in (path / name for name in _MACHINE_S):
        if settings.exists():
            bind(settings, settings)
            read_only(settings)


def change_root(root: Path) -> None:
    """The old root ends up on top of the new one, and is taken away from there."""
    os.chdir(root)
    checked(libc.syscall(_PIVOT_ROOT[platform.machine()], b".", b"."))
    checked(libc.umount2(b".", _DETACH))
    os.chdir("/")


def _mount(source: str | None, target: Path, kind: str | None, flags: int, options: bytes | None = None) -> None:
    arguments = (source and source.encode(), os.fsencode(target), kind and kind.encode())
    checked(libc.mount(*arguments, ctypes.c_ulong(flags), options))

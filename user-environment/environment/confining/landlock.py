"""Landlock (Linux 5.13): a process gives up rights for itself and all its descendants, without being root.

What the kernel's version (ABI) knows of is refused altogether but for what is granted here: files by the folder or file they
lie below, ports by number, and from ABI 6 on every signal and abstract socket that leads out. The packages on PyPI cover
files alone. The kernel's interface: https://docs.kernel.org/userspace-api/landlock.html
"""

import ctypes
import os
import stat
import struct
from collections.abc import Iterable
from enum import IntFlag
from pathlib import Path

from environment.confining.kernel import checked, libc

_CREATE, _ADD, _RESTRICT = 444, 445, 446
"""The numbers of the three calls, the same on every architecture."""
_ASK_VERSION = 1
_BENEATH, _PORT = 1, 2
_PR_SET_NO_NEW_PRIVS = 38


class Right(IntFlag):
    """Over files, with the kernel's own values."""

    EXECUTE = 1 << 0
    WRITE_FILE = 1 << 1
    READ_FILE = 1 << 2
    READ_DIR = 1 << 3
    REMOVE_DIR = 1 << 4
    REMOVE_FILE = 1 << 5
    MAKE_CHAR = 1 << 6
    MAKE_DIR = 1 << 7
    MAKE_REG = 1 << 8
    MAKE_SOCK = 1 << 9
    MAKE_FIFO = 1 << 10
    MAKE_BLOCK = 1 << 11
    MAKE_SYM = 1 << 12
    REFER = 1 << 13
    TRUNCATE = 1 << 14
    IOCTL_DEV = 1 << 15


READ = Right.EXECUTE | Right.READ_FILE | Right.READ_DIR
WRITE = ~(Right.MAKE_CHAR | Right.MAKE_BLOCK)
"""All but to make devices."""
USE = Right.READ_FILE | Right.WRITE_FILE | Right.READ_DIR | Right.IOCTL_DEV
"""Devices."""
NAME = READ | Right.WRITE_FILE | Right.TRUNCATE
"""Processes and their threads."""
PASS = Right.READ_FILE | Right.WRITE_FILE | Right.MAKE_REG | Right.REMOVE_FILE | Right.TRUNCATE
"""To use files whose names one knows, and not to list them."""
_OF_FILES = Right.EXECUTE | Right.WRITE_FILE | Right.READ_FILE | Right.TRUNCATE | Right.IOCTL_DEV
"""Those that can be had over a single file."""
_SINCE = ((1, Right.REFER - 1), (2, Right.REFER), (3, Right.TRUNCATE), (5, Right.IOCTL_DEV))
_PORTS_SINCE, SCOPES_SINCE = 4, 6
_BIND, _CONNECT = 0b01, 0b10
_ABSTRACT_SOCKETS_AND_SIGNALS = 0b11


def abi() -> int:
    """The kernel's version of Landlock; 0 where it has none, or was told to leave it off."""
    return max(0, int(libc.syscall(_CREATE, None, ctypes.c_size_t(0), _ASK_VERSION)))


class Ruleset:
    """What is granted. Close it by `restrict`, once, in a process of one thread: other threads would keep their rights.

    Raises OSError for what the kernel refuses. `ports`: whether TCP is refused but for granted ports, from ABI 4 on.
    """

    def __init__(self, *, ports: bool = False) -> None:
        version = abi()
        self._files = sum(rights for since, rights in _SINCE if since <= version)
        self._ports = _BIND | _CONNECT if ports and version >= _PORTS_SINCE else 0
        scopes = _ABSTRACT_SOCKETS_AND_SIGNALS if version >= SCOPES_SINCE else 0
        known = 1 + (version >= _PORTS_SINCE) + (version >= SCOPES_SINCE)
        attributes = struct.pack(f"{known}Q", *(self._files, self._ports, scopes)[:known])
        self._descriptor = _call(_CREATE, attributes, ctypes.c_size_t(len(attributes)), 0)

    def grant(self, paths: Iterable[Path], rights: int) -> None:
        """To everything below each of them. What is not there is passed over."""
        for path in paths:
            try:
                target = os.open(path, os.O_PATH | os.O_CLOEXEC)
            except OSError:
                continue
            try:
                self._grant(target, rights)
            finally:
                os.close(target)

    def grant_ports(self, own: Iterable[int], outward: Iterable[int]) -> None:
        """`own` to bind and to connect to, on any address, `outward` to connect to alone."""
        rights = {**dict.fromkeys(outward, _CONNECT), **dict.fromkeys(own, _BIND | _CONNECT)}
        for port, right in rights.items() if self._ports else ():
            _call(_ADD, self._descriptor, _PORT, struct.pack("QQ", right, port), 0)

    def restrict(self) -> None:
        checked(libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
        _call(_RESTRICT, self._descriptor, 0)
        os.close(self._descriptor)

    def _grant(self, target: int, rights: int) -> None:
        possible = self._files if stat.S_ISDIR(os.fstat(target).st_mode) else self._files & _OF_FILES
        _call(_ADD, self._descriptor, _BENEATH, struct.pack("=Qi", rights & possible, target), 0)


def _call(number: int, *arguments: object) -> int:
    return checked(libc.syscall(number, *arguments))

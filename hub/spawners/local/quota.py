"""Holds the disk of workspaces where their file system has quotas of users, since each workspace has an account of its own.

A quota of the account, not of a project: whoever owns a file may give it to another project, and to no other account. The limit
stands in the file system and is set anew at each start, so a larger size reaches the next run. Temporary files on the same
file system count too.
"""

import contextlib
import ctypes
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hub.seam import crossing

log = logging.getLogger(__name__)

_libc = ctypes.CDLL(None, use_errno=True)
_QUOTACTL_FD = 443
"""A system call of Linux 5.14."""
_GET, _SET, _STATE = 0x800007, 0x800008, 0x5808
_OF_USERS = 0
_ENFORCED = 1 << 1
_LIMITS = 1 | 4
"""Of a `_Quota` the blocks and the files; what is used is the file system's to say."""
_BLOCK, _SMALLEST_FILE = 1024, 4096


class _Quota(ctypes.Structure):
    """`struct if_dqblk` of linux/quota.h."""

    _fields_ = (
        *((name, ctypes.c_uint64) for name in ("blocks", "soft_blocks", "bytes_used")),
        *((name, ctypes.c_uint64) for name in ("files", "soft_files", "files_used")),
        *((name, ctypes.c_uint64) for name in ("block_time", "file_time")),
        ("valid", ctypes.c_uint32),
    )


class Quotas:
    """Of the accounts that workspaces have. What cannot be set is logged: no launch fails for it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def hold(self, account: int, storage: int) -> None:
        """To so many bytes. And to one file for each 4 KiB of them, the least that a file with anything in it takes."""
        self._set(account, max(1, storage // _BLOCK), max(1, storage // _SMALLEST_FILE))

    def held(self, account: int) -> int | None:
        """To how many bytes; None where to none. Raises OSError."""
        found = _Quota()
        with contextlib.suppress(FileNotFoundError), _opened(self._folder) as descriptor:
            _ask(descriptor, _GET, account, ctypes.byref(found))
        return found.blocks * _BLOCK or None

    def release(self, account: int) -> None:
        """Its workspace was deleted."""
        self._set(account, 0, 0)

    def _set(self, account: int, blocks: int, files: int) -> None:
        try:
            with crossing("set a quota"), _opened(self._folder) as descriptor:
                _ask(descriptor, _SET, account, ctypes.byref(_Quota(blocks=blocks, files=files, valid=_LIMITS)))
        except OSError as error:
            log.error("the quota of account %s cannot be set: %s", account, error.strerror)  # noqa: TRY400 (it says all)


def quotas_of(folder: Path, account: int) -> Quotas | None:
    """None where the folder's file system holds no user to a quota, or this process may not set one, say of that account."""
    try:
        with _opened(folder) as descriptor:
            held = _enforced(descriptor) and _may_set(descriptor, account)
    except OSError:
        return None
    return Quotas(folder) if held else None


def sentence(quotas: Quotas | None) -> str:
    """What holds the disk of workspaces here."""
    if quotas:
        return "The disk of a workspace is held by the file system's quota of its account."
    return "The disk of workspaces is held by nothing: it is measured, and a workspace that is too large is not launched."


def _enforced(descriptor: int) -> bool:
    """The first bytes of `struct fs_quota_statv` are its version, which is asked for, and from the third on flags."""
    state = ctypes.create_string_buffer(b"\1", 256)
    _ask(descriptor, _STATE, 0, state)
    return bool(int.from_bytes(state.raw[2:4], sys.byteorder) & _ENFORCED)


def _may_set(descriptor: int, account: int) -> bool:
    """Who may ask for another's quota may set it. XFS knows none of an account that it has never seen."""
    with contextlib.suppress(FileNotFoundError):
        _ask(descriptor, _GET, account, ctypes.byref(_Quota()))
    return True


@contextmanager
def _opened(folder: Path) -> Iterator[int]:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _ask(descriptor: int, command: int, account: int, answer: object) -> None:
    """Raises OSError where the kernel refuses or knows nothing of it."""
    whole = ctypes.c_uint(command << 8 | _OF_USERS)
    if _libc.syscall(_QUOTACTL_FD, descriptor, whole, ctypes.c_uint(account), answer) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))

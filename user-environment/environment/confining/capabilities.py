"""Root's rights, and those that a user namespace gives: given up for good, so that no program started later gets any back."""

import contextlib
import ctypes
import signal

from environment.confining.kernel import checked, libc
from environment.supervising.account import become
from environment.supervising.processes import end_with_parent

_PR_SET_DUMPABLE, _PR_CAPBSET_DROP = 4, 24
_VERSION = 0x20080522
_HIGHEST = 63


def drop(account: int | None = None) -> None:
    """And become `account`, where there is one. See capabilities(7).

    Another account takes from the process that it may be looked into and that it ends with its parent: both are set anew.
    """
    with contextlib.suppress(OSError):  # the kernel knows fewer, or there were none to begin with
        for number in range(_HIGHEST + 1):
            checked(libc.prctl(_PR_CAPBSET_DROP, number, 0, 0, 0))
    if account is not None:
        become(account)
    header = (ctypes.c_uint32 * 2)(_VERSION, 0)
    checked(libc.capset(header, (ctypes.c_uint32 * 6)()))
    checked(libc.prctl(_PR_SET_DUMPABLE, 1, 0, 0, 0))  # or its supervisor could not see how much memory it takes
    end_with_parent(signal.SIGKILL)

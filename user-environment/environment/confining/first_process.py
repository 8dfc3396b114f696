"""Process numbers of its own: an environment sees, signals and outlives nothing but what it started itself.

Such a namespace of processes needs a first one, which reaps those whose parents have ended. The environment's code cannot end
it, and with it ends all that is in the namespace, whatever it did to hide. See pid_namespaces(7).
"""

import os
import select
import signal
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import NoReturn

from environment.confining import mounts
from environment.confining.kernel import checked, libc
from environment.confining.namespaces import MOUNTS, PROCESSES, unshare
from environment.supervising.processes import close_from, end_with_parent

_PR_SET_DUMPABLE = 4


@cache
def is_possible() -> bool:
    """Tried in a process that ends at once. Call it first in the one that forks environments: they inherit the answer."""
    if not mounts.can_change_root():
        return False
    trying = os.fork()
    if trying == 0:
        os._exit(_tried())
    return os.waitpid(trying, 0)[1] == 0


def _tried() -> int:
    if not unshare(PROCESSES | MOUNTS, as_root=os.geteuid() == 0):
        return 1
    first = os.fork()
    if first == 0:
        with suppress(OSError):  # a container may have covered parts of its /proc: then there is no other one
            mounts.keep_private()
            mounts.processes(Path("/proc"))
            os.chroot(".")
            os._exit(0)
        os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(first, 0)[1])


def begin(*, as_root: bool) -> int:
    """The first process of the namespace in which all is that this process starts from here on. Raises OSError.

    It sees no more of the machine's files than the folder that this process works in.
    """
    parent = os.pidfd_open(os.getpid())
    try:
        if not unshare(PROCESSES, as_root=as_root):
            raise OSError(0, "it gets no process numbers of its own")
        first = os.fork()
        if first == 0:
            _reap(parent)
    finally:
        os.close(parent)
    return first


def _reap(parent: int) -> NoReturn:
    """For ever: it ends by a signal from outside alone, and with its parent."""
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        end_with_parent(signal.SIGKILL)
        if not select.select([parent], [], [], 0)[0]:
            _close_up()
            _wait_for_ever()
    finally:
        os._exit(1)  # nothing of the parent's must run in it


def _close_up() -> None:
    """The environment may read some of what the kernel knows of it: which files there are, and what is mounted where."""
    close_from(0)
    os.chroot(".")
    checked(libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0))


def _wait_for_ever() -> NoReturn:
    while True:
        signal.sigwait({signal.SIGCHLD})
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass

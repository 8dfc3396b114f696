"""An account of its own, which root gives to an environment: that of whoever owns its workspace."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from environment.confining.kernel import checked, libc

_PR_SET_DUMPABLE = 4


def become(account: int) -> None:
    """For good: from here on this process is neither root nor anybody else."""
    os.setgroups([])
    os.setresgid(account, account, account)
    os.setresuid(account, account, account)


@contextmanager
def looking_as(account: int | None) -> Iterator[None]:
    """Files and what the kernel knows of processes show themselves as to that account: root may lack the right to look.

    Real and saved account stay root's, and by those the kernel judges who may signal. It is this process that looks, since a
    child would have a number among the environment's own, and tell it what is mounted on the machine.
    """
    if account is None:
        yield
        return
    libc.setfsgid(account)
    libc.setfsuid(account)
    try:
        yield
    finally:
        libc.setfsuid(os.geteuid())
        libc.setfsgid(os.getegid())
        checked(libc.prctl(_PR_SET_DUMPABLE, 1, 0, 0, 0))  # or an agent of few rights could not look into this process

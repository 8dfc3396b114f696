"""An account of its own, which root gives to an environment: that of whoever owns its workspace."""

import json
import os
from collections.abc import Callable

from environment.confining.kernel import libc


def become(account: int) -> None:
    """For good: from here on this process is neither root nor anybody else."""
    os.setgroups([])
    os.setresgid(account, account, account)
    os.setresuid(account, account, account)


def look_as(account: int) -> None:
    """Files and what the kernel knows of processes show themselves as to that account, which may send no signal here.

    Real and saved account stay root's, and by those the kernel judges who may signal.
    """
    os.setgroups([])
    libc.setfsgid(account)
    libc.setfsuid(account)


def asked_as(account: int | None, question: Callable[[], int]) -> int:
    """What `question` says in a process that looks as that account: root may lack the right to look into others.

    0 where it fails, as it does once the first process of the environment's namespace has ended: then nobody is started there.
    """
    if account is None:
        return question()
    reading, writing = os.pipe()
    try:
        asked = os.fork()
    except OSError:
        os.close(reading)
        os.close(writing)
        return 0
    if asked == 0:
        try:
            look_as(account)
            os.write(writing, json.dumps(question()).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with open(reading, "rb") as answer:  # noqa: PTH123 (a descriptor)
        said = answer.read()
    os.waitpid(asked, 0)
    return int(json.loads(said or b"0"))

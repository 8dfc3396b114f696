"""Runs a program as on a lesser machine: `python -m tests.support.lesser --no-landlock --no-namespaces --root-with=kill -- …`.

The program and all that it starts see a kernel without Landlock, one that forbids namespaces, or are a root with a few rights
alone, as a container's is.
"""

import argparse
import ctypes
import os
import platform
import sys
from collections.abc import Iterable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "user-environment"))

from environment.confining import seccomp
from environment.confining.kernel import checked, libc

_PR_CAPBSET_DROP, _HIGHEST = 24, 40
NUMBERS = {"chown": 0, "kill": 5, "setgid": 6, "setuid": 7, "sys_chroot": 18, "sys_admin": 21}
CONTAINER = ("--no-namespaces", "--root-with=chown,kill,setgid,setuid")
"""What `compose.yml` gives to the service that runs environments."""
_LANDLOCK = (seccomp.Only((444, 444)),)
_NAMESPACES = (seccomp.Only((272, 97)),)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--no-landlock", action="store_true")
    parser.add_argument("--no-namespaces", action="store_true")
    parser.add_argument("--root-with", default="")
    parser.add_argument("command", nargs="+")
    given = parser.parse_args()
    if given.root_with:
        kept = {NUMBERS[name] for name in given.root_with.split(",")}
        for number in set(range(_HIGHEST + 1)) - kept:
            checked(libc.prctl(_PR_CAPBSET_DROP, number, 0, 0, 0))
    refused = (*(_LANDLOCK if given.no_landlock else ()), *(_NAMESPACES if given.no_namespaces else ()))
    if refused:
        refuse(refused)
    os.execv(given.command[0], given.command)


def refuse(rules: Iterable[seccomp.Only]) -> None:
    """As `seccomp.restrict`, which is what is tried: a machine is lesser with and without it."""
    code = seccomp._filter(platform.machine(), rules)
    program = seccomp._Program(len(code) // 8, code)
    for call in ((38, 1, 0), (22, 2, ctypes.byref(program))):  # no new privileges; a filter
        checked(libc.prctl(*call, 0, 0))


if __name__ == "__main__":
    main()

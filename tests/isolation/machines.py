"""The machines that environments are kept apart on: this one, and lesser ones that it can play."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hub.settings import ROOT
from tests.support.lesser import CONTAINER

DEBIANS = Path("/usr/bin/python3")
"""An interpreter that everybody may read."""


@dataclass(frozen=True)
class Machine:
    """`lesser`: what it lacks (`tests.support.lesser`). `said`: a pattern of how its sentence begins that says
    what holds there."""

    name: str
    lesser: tuple[str, ...]
    said: str

    @property
    def unix_sockets(self) -> bool:
        """Whether environments may have some of their own."""
        return self.hides_paths and self.landlock

    @property
    def hides_paths(self) -> bool:
        rights = next((part for part in self.lesser if part.startswith("--root-with")), "sys_admin")
        return "--no-namespaces" not in self.lesser and "sys_admin" in rights

    @property
    def may_hand_on(self) -> bool:
        """Whether Podium may give what is its own to an account or group that it is not in."""
        return os.geteuid() == 0 and all("chown" in part for part in self.lesser if part.startswith("--root-with"))

    @contextmanager
    def folder(self) -> Iterator[tuple[Path, dict[str, Any]]]:
        """Where environments may run there, with the options that they need.

        Without namespaces root shows nothing to other accounts that they could not reach anyway.
        """
        with TemporaryDirectory(prefix="podium-m-") as name:
            folder = Path(name)
            if self.hides_paths or os.geteuid() != 0:
                yield folder, {}
                return
            folder.chmod(0o755)
            code = folder / "code"
            shutil.copytree(ROOT / "user-environment" / "environment", code / "environment")
            shutil.copy(ROOT / "tests" / "spawners" / "stand_in.py", code)
            code.chmod(0o755)
            seen = {"server": "stand_in", "preload": "stand_in", "script": code / "stand_in.py"}
            yield folder, {**seen, "code": (code,), "interpreters": (DEBIANS,)}

    @property
    def landlock(self) -> bool:
        return "--no-landlock" not in self.lesser


_APART = "Environments are kept apart by"
_OF_ROOT = (
    Machine("root", (), f"{_APART} user and Landlock"),
    Machine("root-without-namespaces", ("--no-namespaces",), f"{_APART} user and Landlock"),
    Machine("root-without-landlock", ("--no-landlock",), f"{_APART} user, each as an account of its own"),
    Machine("root-with-few-rights", CONTAINER[1:], f"{_APART} user and Landlock"),
    Machine(
        "root-without-accounts",
        ("--root-with=sys_admin,sys_chroot",),
        rf"{_APART} Landlock \(version \d\), and not by user .*: none reaches",
    ),
    Machine("container", CONTAINER, f"{_APART} user and Landlock"),
    Machine("container-without-landlock", (*CONTAINER, "--no-landlock"), f"{_APART} user, each as an account of its own"),
)
_OF_ANYBODY = (
    Machine("ordinary", (), f"{_APART} Landlock"),
    Machine(
        "ordinary-without-namespaces",
        ("--no-namespaces",),
        rf"{_APART} Landlock \(version \d\) but for permissions of this account's files:",
    ),
)
MACHINES = _OF_ROOT if os.geteuid() == 0 else _OF_ANYBODY

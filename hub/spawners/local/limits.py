"""Which means holds an environment to its memory, its number of processes and its CPU on this machine.

A control group (version 2) holds exactly and at once, but only where an ordinary user was given a
part of the tree, as systemd does for a desktop's or a lingering user's services. Everywhere else
the supervisor watches the memory of its descendants and stops an environment that takes more, and
each keeps to some of the machine's cores (`hub.spawners.local.cores`).
"""

import os
from dataclasses import dataclass
from pathlib import Path

_TREE = Path("/sys/fs/cgroup")
_NEEDED = {"memory", "pids"}


@dataclass(frozen=True)
class Limits:
    """`parent` is the control group below which each start gets its own; None: the watchdog. `cpu`: it holds CPU, too.

    `disk`: what holds the disk of workspaces, as a sentence; empty where only the agent knows.
    """

    parent: Path | None
    cpu: bool = False
    disk: str = ""

    def sentence(self) -> str:
        return f"{self._of_processes()} {self.disk}".rstrip()

    def _of_processes(self) -> str:
        if self.cpu:
            return f"Memory, process and CPU limits are held by control groups (version 2) below {self.parent}."
        cores = "CPU is held by giving each environment as many of the machine's cores as its preset says."
        if self.parent:
            return f"Memory and process limits are held by control groups (version 2) below {self.parent}. {cores}"
        return (
            "Memory and process limits are held by a watchdog that stops an environment which takes more, since this account "
            f"was given no control group (version 2). {cores}"
        )


def limits_in_force(own: Path = Path("/proc/self/cgroup"), tree: Path = _TREE) -> Limits:
    """Looks for a group beside this process's own that may be divided; starts nothing, writes nothing."""
    name = _own_group(own)
    if name is None:
        return Limits(None)
    parent = (tree / name.strip("/")).parent if name.strip("/") else tree
    given = _given(parent)
    return Limits(parent, cpu="cpu" in given) if given >= _NEEDED and _may_divide(parent) else Limits(None)


def _own_group(own: Path) -> str | None:
    try:
        lines = own.read_text().splitlines()
    except OSError:
        return None
    return next((line.removeprefix("0::") for line in lines if line.startswith("0::")), None)


def _given(parent: Path) -> set[str]:
    """What groups below it can limit."""
    try:
        return set((parent / "cgroup.subtree_control").read_text().split())
    except OSError:
        return set()


def _may_divide(parent: Path) -> bool:
    return os.access(parent, os.W_OK) and os.access(parent / "cgroup.procs", os.W_OK)

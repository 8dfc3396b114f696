"""How far environments are kept apart, in one sentence that `up`, `doctor` and a page say as it is.

A level is claimed only where an environment that tried found no hole in it (`environment.confining.probe`); else the holes are
named. docs/security/isolation.md says what each level promises.
"""

from collections.abc import Sequence
from dataclasses import dataclass

_CLAIMED = {"files", "processes", "signals", "sockets"}
"""What no environment reaches of others, at every level that is claimed."""
_HOLES = {
    "files": "files of this account",
    "processes": "what can be known of other processes",
    "signals": "signals to other processes",
    "sockets": "Unix sockets of this account",
}
_NOT_APART = (
    "Environments are not kept apart: they run as the same user as Podium and can read each other's files and Podium's own, so "
    "let in only one person, or people who trust each other"
)


@dataclass(frozen=True)
class Found:
    """`abi` is the version of Landlock, 0 where there is none; `holes` are what an environment could do that none should.

    `unix_sockets`: whether it may have some of its own; `gpus`: whether this machine has some.
    """

    abi: int
    holes: Sequence[str]
    unix_sockets: bool
    gpus: bool = False


def local_isolation(wanted: str, found: Found | None) -> str:
    """What holds on one machine. A promise that is not kept is worse than none."""
    if wanted == "none":
        return f"{_NOT_APART} (ISOLATION=none)."
    if found is None:
        return f"{_NOT_APART}: how far they are could not be tried; the agent's log says why."
    if found.abi == 0:
        return f"{_NOT_APART} (this kernel has no Landlock)."
    by = f"Environments are kept apart by Landlock (version {found.abi})"
    if open_ := _open(found):
        why = " (which programs for this machine's GPUs need)" if found.gpus and "processes" in found.holes else ""
        return f"{by} but for {open_}{why}: let in people who trust each other."
    without = "" if found.unix_sockets else "; Unix sockets of their own are refused to them"
    return (
        f"{by}: none reaches files, processes or Unix sockets of Podium, of another one or of this account. Ports of this "
        f"machine stay open to them, so whatever listens there must ask who calls{without}."
    )


def lacks(wanted: str, found: Found | None) -> str:
    """Why a machine does not do what is demanded; empty where it does."""
    if found and found.abi and not _open(found):
        return ""
    return f"ISOLATION={wanted} is demanded, and this machine does not keep environments apart so: `doctor` says how far"


def pod_isolation(namespace: str) -> str:
    return (
        f"Environments are pods of their own in the namespace {namespace}, without rights and each with its own volume; what "
        "they reach over the network is up to the cluster's network policies."
    )


def _open(found: Found) -> str:
    return ", ".join(_HOLES[name] for name in dict.fromkeys(found.holes) if name in _CLAIMED)

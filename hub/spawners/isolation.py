"""How far environments are kept apart, in one sentence that `up`, `doctor` and a page say as it is.

A level is claimed only where an environment that tried found no hole in it (`environment.confining.probe`); else the holes are
named. docs/security/isolation.md says what each level promises.
"""

from collections.abc import Sequence
from dataclasses import dataclass

_HOLES = {
    "files": "files of this account",
    "permissions": "permissions of this account's files",
    "settings": "the kernel's settings",
    "processes": "what can be known of other processes",
    "signals": "signals to other processes",
    "sockets": "Unix sockets of this account",
}
"""What no environment reaches of others, at every level that is claimed."""
_NOT_APART = (
    "Environments are not kept apart: they run as the same user as Podium and can read each other's files and Podium's own, so "
    "let in only one person, or people who trust each other"
)
_UNKNOWN = (
    "How far environments are kept apart could not be tried; agent.log in the data folder, or `docker compose logs "
    "environments`, says why. Until then let in only people who trust each other."
)


@dataclass(frozen=True)
class Found:
    """`abi` is the version of Landlock, 0 where there is none; `holes` are what an environment could do that none should.

    `unix_sockets`: whether it may have some of its own; `gpus`: whether this machine has some; `account`: whether it ran as an
    account that is nobody else's.
    """

    abi: int
    holes: Sequence[str]
    unix_sockets: bool
    gpus: bool = False
    account: bool = False


def local_isolation(wanted: str, found: Found | None, no_accounts: str = "") -> str:
    """What holds on one machine. A promise that is not kept is worse than none.

    `no_accounts`: why root gives environments no accounts of their own, as a clause.
    """
    if wanted == "none":
        return f"{_NOT_APART} (ISOLATION=none)."
    if found is None:
        return _UNKNOWN
    if not found.abi and not found.account:
        return f"{_NOT_APART} (this kernel has no Landlock{', and ' * bool(no_accounts)}{no_accounts})."
    by = f"Environments are kept apart by {_means(found, no_accounts)}"
    if open_ := _open(found):
        why = " (which programs for this machine's GPUs need)" if found.gpus and "processes" in found.holes else ""
        return f"{by} but for {open_}{why}: let in people who trust each other."
    without = "" if found.unix_sockets else "; Unix sockets of their own are refused to them"
    ports = (
        "Ports of this machine stay open to them, so whatever listens there must ask who calls"
        if "loopback" in found.holes
        else "Of TCP they have ports of their own to listen on, and connect to no other but OUTWARD_PORTS"
    )
    reached = "files, processes or Unix sockets of Podium, of another one or of this account"
    return f"{by}: none reaches {reached}. {ports}{without}."


def _means(found: Found, no_accounts: str) -> str:
    landlock = f"Landlock (version {found.abi})"
    if not found.abi:
        return "user, each as an account of its own (this kernel has no Landlock, so what all accounts may read they read too)"
    if found.account:
        return f"user and {landlock}"
    return f"{landlock}, and not by user ({no_accounts})" if no_accounts else landlock


def lacks(wanted: str, found: Found | None) -> str:
    """That a machine lacks the level that is demanded, made of `user`, `landlock` and `ports`. Empty where it has it."""
    has = {
        "landlock": bool(found and found.abi),
        "user": bool(found and found.account),
        "ports": bool(found and "loopback" not in found.holes),
    }
    if found and not _open(found) and all(has[means] for means in wanted.split("+")):
        return ""
    return (
        f"This machine does not keep environments apart as its operator demands (ISOLATION={wanted}). "
        "`python -m hub doctor` tells an administrator what is missing."
    )


def pod_isolation(namespace: str) -> str:
    return (
        f"Environments are pods of their own in the namespace {namespace}, without rights and each with its own volume; what "
        "they reach over the network is up to the cluster's network policies."
    )


def _open(found: Found) -> str:
    return ", ".join(_HOLES[name] for name in dict.fromkeys(found.holes) if name in _HOLES)

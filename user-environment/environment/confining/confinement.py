"""What the code of an environment may reach on a machine that it shares: its own folders, and what every program reads.

The system's folders are named one by one, and of `/proc` single files alone: all of `/proc` would show what the hub was
started with, and whole `/etc` or `/run` what an operator keeps there for this account. A kernel that knows less refuses less;
what then stays open is found out by `environment.confining.probe`.
"""

import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import translate
from pathlib import Path
from typing import Any, Self

from environment.confining import capabilities, landlock, seccomp, view


def _named_as(*patterns: str) -> re.Pattern[str]:
    """Compiled by the parent, for all that it forks."""
    return re.compile("|".join(map(translate, patterns)))


_PROGRAMS = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64")
_SETTINGS = _named_as(
    "*-release", "*_version", "ImageMagick*", "OpenCL", "R", "alternatives", "bash.bashrc", "ca-certificates*", "fonts",
    "gai.conf", "gitconfig", "group", "host.conf", "hostname", "hosts", "inputrc", "ipython", "java*", "jupyter", "ld.so.*",
    "locale.*", "localtime", "login.defs", "machine-id", "magic*", "matplotlibrc", "mime.types", "nsswitch.conf", "passwd",
    "pip.conf", "pki", "profile*", "protocols", "python*", "resolv.conf", "services", "shells", "ssl", "terminfo", "texmf",
    "timezone", "vulkan", "wgetrc", "xdg",
)  # fmt: skip
"""Below `/etc`: what programs look into, and whoever may log in may read."""
_FACTS = (
    "/proc/cpuinfo", "/proc/devices", "/proc/driver/nvidia", "/proc/filesystems", "/proc/loadavg", "/proc/meminfo",
    "/proc/stat", "/proc/sys/kernel", "/proc/sys/vm", "/proc/uptime", "/proc/version",
    "/sys/devices/system/cpu", "/sys/devices/system/node",
)  # fmt: skip
_PROCESSES, _OWN_PROCESS = Path("/proc"), Path("/proc/self")
"""All, and the server's. CUDA names its threads there, in whichever process it is used, and does not begin where it may not."""
_LIMITS = Path("/sys/fs/cgroup")
"""Where a library reads how much it may take; which groups there are is not shown."""
_DEVICES = _named_as("null", "zero", "full", "random", "urandom", "nvidia*", "kfd", "dri")
"""Below `/dev`. Nobody hands GPUs out on one machine: whoever runs there may use them all."""
_GPUS = (Path("/dev/nvidiactl"), Path("/dev/kfd"))
"""What says that there is a GPU for computing: one that only draws is none."""
_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108
"""Where semaphores and shared memory lie. Where it is everybody's, each finds its own by a name that nobody else is told."""


@dataclass(frozen=True)
class Confinement:
    """Folders of one environment beside those of the system; `writable` may be read, too.

    `gpus`: whether a GPU, where there is one, can be used by every process that the server starts, at the price of all
    processes' entries in `/proc`; else by the server alone. `root` is the folder of its socket: once that is bound, nothing of
    it is needed but `temporary`, a link in it, so the new root is mounted there. `account`: whom the process becomes, where
    root gives it one of its own.
    """

    writable: tuple[Path, ...]
    readable: tuple[Path, ...]
    root: Path
    temporary: Path
    shared_memory: int
    """The most that it may put there, in bytes, where it has a place of its own for it."""
    gpus: bool = False
    account: int | None = None
    own_processes: bool = False
    """Whether it is in a namespace of processes that is nobody else's (`environment.confining.first_process`)."""
    ports: tuple[int, int] | None = None
    """The first and the last of its own; None leaves TCP open."""
    outward: tuple[int, ...] = ()
    """Other ports that it may connect to, on any machine."""
    pinned: bool = False
    """Whether it keeps to the cores that its process has now."""

    @classmethod
    def from_mapping(cls, given: Mapping[str, Any]) -> Self:
        lists = {name: tuple(map(Path, given[name])) for name in ("writable", "readable")}
        ports = given.get("ports")
        return cls(
            **lists,
            root=Path(given["root"]),
            temporary=Path(given["temporary"]),
            shared_memory=given["shared_memory"],
            gpus=given["gpus"],
            account=given.get("account"),
            own_processes=given.get("own_processes", False),
            ports=(ports[0], ports[1]) if ports else None,
            outward=tuple(given.get("outward", ())),
            pinned=given.get("pinned", False),
        )


def enter(confinement: Confinement) -> None:
    """From here on for this process, which has one thread, and all that it starts. Raises OSError where the kernel fails.

    Sockets without a path reach across accounts where Landlock does not know of them, so there an account of its own gets no
    Unix sockets; where one is shared with others, these are not the only hole, and more would break than be closed.
    """
    link = (confinement.temporary, confinement.temporary.resolve())
    own = view.Own((_SHARED_MEMORY, confinement.shared_memory), _PROCESSES if confinement.own_processes else None)
    alone = view.enter(_named(confinement), confinement.root, link, own, as_root=confinement.account is not None)
    if confinement.own_processes and not alone:
        raise OSError(0, "its process numbers are its own, and the names of files are not")
    named_apart = landlock.abi() >= landlock.SCOPES_SINCE or confinement.account is None
    rules = _ruleset(confinement) if landlock.abi() else None
    capabilities.drop(confinement.account)
    if rules:
        rules.restrict()
    if seccomp.is_known():
        unix_sockets = (alone and named_apart) or (confinement.gpus and has_gpus())
        seccomp.restrict(_refused(confinement, unix_sockets=unix_sockets))


def _refused(confinement: Confinement, *, unix_sockets: bool) -> list[seccomp.Only]:
    """Of an account that is nobody else's the kernel lets no process touch another's."""
    shared = () if confinement.account is not None else seccomp.OF_A_SHARED_ACCOUNT
    kept = seccomp.OF_GIVEN_CORES if confinement.pinned else ()
    return [*seccomp.sockets(unix=unix_sockets, plain=confinement.ports is not None), *seccomp.RULES, *kept, *shared]


def has_gpus() -> bool:
    return any(path.exists() for path in _GPUS)


def _ruleset(confinement: Confinement) -> landlock.Ruleset:
    rules = landlock.Ruleset(ports=confinement.ports is not None)
    if confinement.ports:
        first, last = confinement.ports
        rules.grant_ports(range(first, last + 1), confinement.outward)
    rules.grant(map(Path, (*_PROGRAMS, *_FACTS)), landlock.READ)
    rules.grant(_found("/etc", _SETTINGS), landlock.READ)
    rules.grant(_code(), landlock.READ)
    rules.grant(_found("/dev", _DEVICES), landlock.USE)
    all_of_them = confinement.own_processes or (confinement.gpus and has_gpus())
    rules.grant([_PROCESSES if all_of_them else _OWN_PROCESS], landlock.NAME)
    rules.grant([_LIMITS], landlock.Right.READ_FILE)
    rules.grant([_SHARED_MEMORY], landlock.PASS)
    rules.grant(confinement.readable, landlock.READ)
    rules.grant(confinement.writable, landlock.WRITE)
    return rules


def _named(confinement: Confinement) -> view.Named:
    """What has a name at all. No socket of anybody's is in it."""
    chosen = [*_found("/etc", _SETTINGS), *_found("/dev", _DEVICES)]
    fixed = [*map(Path, _PROGRAMS), Path("/sys"), *chosen, *_code(), *confinement.readable]
    shared = () if confinement.own_processes else (_PROCESSES,)
    return view.Named(fixed, (*shared, *confinement.writable))


def _code() -> list[Path]:
    """The interpreter, what is installed for it, and the environment's own code."""
    return [Path(sys.prefix), Path(sys.base_prefix), Path(__file__).resolve().parents[2]]


def _found(folder: str, wanted: re.Pattern[str]) -> list[Path]:
    return [Path(folder, name) for name in os.listdir(folder) if wanted.match(name)]  # noqa: PTH208 (a launch waits for it)

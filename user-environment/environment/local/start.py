"""One start on one machine, from its folder to its end, in a process that outlives hub, agent and warm parent."""

import contextlib
import fcntl
import gc
import json
import os
import signal
from pathlib import Path
from typing import Any

from environment.local import log
from environment.local.records import read, write, write_exit
from environment.supervising.ended import Ended
from environment.supervising.limits import guard
from environment.supervising.processes import boot_id, start_time
from environment.supervising.server_process import Serve
from environment.supervising.supervisor import Supervisor

_OF_GROUP = 0o2710
"""The mode of a folder through which its group may go, and which hands the group on: in a user namespace nobody else can.

A container's root may lack the right to that bit. It has no such namespace, and gives the group itself.
"""
_PASSABLE = 0o711
"""The mode of a folder through which others may go and in which they see nothing."""


def supervise(folder: Path, serve: Serve) -> None:
    """Runs one start from its folder to its end. Returns at once where another one has it in hand."""
    os.setsid()
    gc.disable()
    os.chdir(folder)
    output = log.become_output(folder / "log")
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    if _lock(folder / "lock") is None or read(folder / "exit.json") or read(folder / "supervisor.json"):
        return
    try:
        ended = _run(folder, serve, output)
    except OSError as error:
        ended = _failed(folder, error)
    log.cut(output)
    write_exit(folder, ended)


def _failed(folder: Path, error: OSError) -> Ended:
    if (folder / "supervisor.json").exists():
        return Ended("killed", f"The process that supervised it failed: {error}")
    return Ended("never_started", f"The environment's process could not be prepared: {error}")


def _run(folder: Path, serve: Serve, output: int) -> Ended:
    spec: dict[str, Any] = json.loads((folder / "spec.json").read_text())
    if read(folder / "stop.json"):
        return Ended("stopped")
    workspace = _lock(Path(spec["lock"]))
    if workspace is None:
        return Ended("never_started", "Another environment is running with this workspace.")
    try:
        account = _prepare(folder, spec)
        group = Path(spec["group"]) if spec["group"] else None
        limits = guard(spec["memory"], spec["processes"], spec["cpu"], group, account)
        if limits.holds_cpu:
            _free_of_cores(spec)
        return Supervisor(spec, limits, FolderRecords(folder, output)).run(serve)
    finally:
        os.close(workspace)  # before the end is recorded: who reads of it may start anew at once


def _prepare(folder: Path, spec: dict[str, Any]) -> int | None:
    """The socket's folder, and in it a short path to a temporary folder that lies beside the data.

    `socket_group` may go through it to the socket, which inherits it: a proxy that runs as somebody else. Returns the account
    that the environment is to run as, where that is another one: whoever owns its workspace.
    """
    Path(spec["runtime"]).mkdir(mode=0o700, exist_ok=True)
    if (group := spec.get("socket_group")) is not None:
        os.chown(spec["runtime"], -1, group)
        Path(spec["runtime"]).chmod(_OF_GROUP)
    (folder / "tmp").mkdir(mode=0o700, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        Path(spec["temporary"]).symlink_to(folder / "tmp")
    owner = Path(spec["server"]["workspace"]).stat().st_uid
    if "confinement" not in spec or owner == os.geteuid():
        return None
    os.chown(folder / "tmp", owner, owner, follow_symlinks=False)
    if spec.get("passable"):
        folder.chmod(_PASSABLE)
    spec["confinement"]["account"] = owner
    return owner


def _free_of_cores(spec: dict[str, Any]) -> None:
    """Those of the order are for where no control group holds CPU."""
    spec["cores"] = None
    if confinement := spec.get("confinement"):
        confinement["pinned"] = False


def _lock(path: Path) -> int | None:
    """A descriptor that holds the lock, or None where another process does. Forks hold it too, programs do not."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


class FolderRecords:
    """What the agent reads of a start, and what it orders, in the start's folder."""

    def __init__(self, folder: Path, output: int) -> None:
        self._folder, self._output = folder, output

    def started(self, server: int, first: int | None) -> None:
        boot = {"boot_id": boot_id(), "server": server, "first": None if first is None else _named(first)}
        write(self._folder / "supervisor.json", _named(os.getpid()) | boot)

    def ordered_to_end(self) -> Ended:
        return Ended(**(read(self._folder / "stop.json") or {"why": "stopped"}))

    def tidy(self) -> None:
        log.cut(self._output)


def _named(pid: int) -> dict[str, Any]:
    return {"pid": pid, "start_time": start_time(pid)}

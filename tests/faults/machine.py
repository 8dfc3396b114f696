"""What really runs, as the kernel tells it: every process of one installation, found without asking Podium."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path


class Kind(Enum):
    AGENT = auto()
    WARM_PARENT = auto()
    SUPERVISOR = auto()
    SERVER = auto()
    """A server, or anything else below a supervisor."""


@dataclass(frozen=True)
class Running:
    """`start` is the id of the start whose log the process writes, for supervisors and what is below them."""

    pid: int
    kind: Kind
    start: str = ""
    workspace: str = ""


def running(data: Path) -> list[Running]:
    """All processes of the installation with that data folder, but for its hub."""
    return [found for entry in Path("/proc").iterdir() if entry.name.isdigit() and (found := _look(int(entry.name), data))]


def of_kind(kind: Kind, found: list[Running]) -> list[Running]:
    return [process for process in found if process.kind is kind]


def _look(pid: int, data: Path) -> Running | None:
    try:
        return _below_supervisor(pid, data) or _by_command(pid, data)
    except OSError:
        return None  # it has ended, or is none of ours


def _below_supervisor(pid: int, data: Path) -> Running | None:
    """Known by its output: the log in the start's folder, which a forgotten start takes along to the trash."""
    output = Path(f"/proc/{pid}/fd/1").readlink()
    if not any(output.is_relative_to(data / folder) for folder in ("starts", "trash")):
        return None
    folder = Path(f"/proc/{pid}/cwd").readlink()
    kind = Kind.SUPERVISOR if folder == output.parent else Kind.SERVER
    return Running(pid, kind, output.parent.name, folder.name if kind is Kind.SERVER else "")


def _by_command(pid: int, data: Path) -> Running | None:
    command = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    if "hub.spawners.local.agent" in command and f"--data={data}" in command:
        return Running(pid, Kind.AGENT)
    if "environment.local.warm_parent" in command and Path(f"/proc/{pid}/cwd").readlink() == data:
        return Running(pid, Kind.WARM_PARENT)
    return None


def text_of(path: Path) -> str | None:
    try:
        return path.read_text()
    except FileNotFoundError:
        return None


def names_in(folder: Path) -> Iterator[str]:
    """Those of a folder's entries that are no drafts of an atomic write."""
    return (path.name for path in folder.iterdir() if not path.name.startswith("."))

"""The spawner interface: how the hub asks for environments, whatever they run on.

A spawner holds the truth about what runs; the hub's database holds what is wanted. Every call is
idempotent and has a deadline, so the controller may repeat any of them after a crash. `start`
only hands the order over and returns: progress comes back through `watch` and `observe`, so that
a thousand slow starts hold no thread, and a restarted hub continues from what it observes.

Every method raises `ClusterSilent` where the far side does not answer in time. One conformance
suite (`tests/conformance/`) says what each method promises; all implementations pass it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NoReturn, Protocol

from hub.errors import ClusterSilent
from hub.spawners.placement import NOWHERE_SPECIAL, Placement


class State(StrEnum):
    """Where one start is, as its spawner sees it."""

    PENDING = "pending"
    READY = "ready"
    ENDED = "ended"


class Ending(StrEnum):
    """Why a start ended. The controller restarts after `LOST` only."""

    STOPPED = "stopped"
    """`stop` was called."""
    EXITED = "exited"
    """It ended by itself; `exit_code` says how."""
    KILLED = "killed"
    """A signal from outside ended it; `detail` names it."""
    OUT_OF_MEMORY = "out_of_memory"
    TOO_MANY_PROCESSES = "too_many_processes"
    OUT_OF_SPACE = "out_of_space"
    """It wrote more outside its workspace than it may; `detail` says where."""
    NEVER_STARTED = "never_started"
    """It could not be started at all; `detail` is the reason in plain words."""
    LOST = "lost"
    """The infrastructure took it: the machine restarted, a node was lost, a pod was evicted."""


@dataclass(frozen=True)
class Checkpoint:
    """A step of a start that was reached."""

    name: str
    at: datetime
    detail: str = ""


@dataclass(frozen=True)
class Exit:
    """How a start ended. `peak_memory` in bytes, where it is known."""

    why: Ending
    at: datetime
    exit_code: int | None = None
    detail: str = ""
    peak_memory: int | None = None


@dataclass(frozen=True)
class StartSpec:
    """All that a spawner needs to start one run. `variables` never holds a secret of the hub.

    `cpu` in cores and `memory` in bytes are limits; the requests are what a scheduler sets aside.
    `storage` in bytes is the size of a workspace on a volume of its own. `keys` are the public JWKs
    whose signature the environment trusts; `start_id` is the audience that it demands.
    """

    start_id: str
    environment_id: str
    workspace_id: str
    image: str
    cpu: float
    memory: int
    processes: int
    base_url: str
    keys: tuple[Mapping[str, str], ...]
    variables: Mapping[str, str] = field(default_factory=dict)
    cpu_request: float = 0.1
    memory_request: int = 256 * 2**20
    storage: int = 10 * 2**30
    placement: Placement = NOWHERE_SPECIAL


@dataclass(frozen=True)
class Observation:
    """What a spawner knows of one start. `upstream` is set while it is `READY`.

    `hindrance` says in plain words what a start waits for that may not come by itself, or what a run suffers from.
    """

    start_id: str
    workspace_id: str
    state: State
    checkpoints: tuple[Checkpoint, ...] = ()
    upstream: str | None = None
    exit: Exit | None = None
    hindrance: str = ""


@dataclass(frozen=True)
class Usage:
    """One sample of a running start: memory in bytes, CPU in seconds since it started.

    CPU and number of processes are None where the far side does not count them.
    """

    start_id: str
    at: datetime
    memory: int
    cpu_seconds: float | None
    processes: int | None


@dataclass(frozen=True)
class Volume:
    """The place of a workspace's files. `capacity` in bytes, None where it has no end of its own."""

    workspace_id: str
    capacity: int | None = None


@dataclass(frozen=True)
class Size:
    """Bytes of a workspace that are in use. `capacity`: the most that its volume holds, None where it has no end of its own."""

    used: int
    capacity: int | None = None


class Synced:
    """Marks, in the stream of `watch`, that everything which ran at the call has been told."""


SYNCED = Synced()


class Spawners(dict[str, "Spawner"]):
    """By the id of their cluster. One that is not part of this hub's settings (any more) is as silent as one that is down."""

    def __missing__(self, cluster_id: str) -> NoReturn:
        raise ClusterSilent(
            f"The cluster “{cluster_id}” is not part of this Podium's settings (any more). Tell an administrator."
        )


class Spawner(Protocol):
    """The far side where environments run. Safe to call from several threads."""

    checkpoints: tuple[str, ...]
    """The names of a start's checkpoints in the order in which they come."""

    size_stays: timedelta
    """How long the measured size of a workspace in use counts as new; measuring costs more on some far sides."""

    def memory_capacity(self) -> int | None:
        """Bytes that requests may add up to; None where the far side schedules by itself."""

    def start(self, spec: StartSpec) -> None:
        """Order a start. Again with the same `start_id`: nothing more happens.

        Never two for one workspace: a start whose workspace another one holds ends `NEVER_STARTED`.
        """

    def stop(self, start_id: str) -> None:
        """Order the end of a start and of every process below it; an unknown id is ended already."""

    def observe(self) -> list[Observation]:
        """All starts that the far side knows, those that ended included until `forget`."""

    def watch(self) -> Iterator[Observation | Synced]:
        """All starts, then `SYNCED`, then each change as it happens, until the connection ends.

        Ends silently or raises `ClusterSilent`; the caller calls again.
        """

    def forget(self, start_id: str) -> None:
        """Drop what is kept of an ended start (its log and its exit record)."""

    def log(self, start_id: str, lines: int) -> str:
        """The last lines of output of a start, ended or not; empty where nothing is known."""

    def usage(self) -> list[Usage]:
        """One sample for each running start."""

    def volumes(self) -> list[Volume]:
        """Every volume that is there, whether anything runs with it or not: one question, whatever their number."""

    def workspace_size(self, workspace_id: str) -> Size:
        """What a workspace uses, whether an environment runs with it or not; nothing if absent."""

    def workspace_archive(self, workspace_id: str) -> Iterator[bytes]:
        """A tar.gz of the workspace, streamed; links are kept as links and never followed."""

    def delete_workspace(self, workspace_id: str) -> None:
        """Delete the workspace's files for good. Raises `Conflict` while a start holds it."""

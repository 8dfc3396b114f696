"""One start as the agent knows it: its folder, what was reached, how it ended."""

import asyncio
import contextlib
import fcntl
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager

from hub.clock import now
from hub.seam import crossing
from hub.spawners.base import Checkpoint, Ending, Exit, Observation, StartSpec, State
from hub.spawners.local import wire
from hub.spawners.local.folders import StartFolder
from hub.spawners.local.processes import Process
from hub.spawners.local.records import append_line, read_json, read_lines, write_json
from hub.spawners.local.slots import Slot

log = logging.getLogger(__name__)

WORKSPACE_READY, PROCESS_STARTED, READY = CHECKPOINTS = ("workspace ready", "process started", "ready")
_LONGEST_TAIL = 1024 * 1024


class Start:
    """Read from its folder, so that a restarted agent knows what the one before knew."""

    def __init__(self, spec: StartSpec, folder: StartFolder, socket: str) -> None:
        self.spec, self.folder, self.socket = spec, folder, socket
        self.process: Process | None = None
        self.slot: Slot | None = None
        self.checkpoints = [wire.checkpoint_from_json(item) for item in read_lines(folder.checkpoints)]
        self.exit = self.recorded_exit()
        self.told_to_stop = asyncio.Event()
        if folder.stop.exists():
            self.told_to_stop.set()

    @property
    def id(self) -> str:
        return self.spec.start_id

    def observation(self) -> Observation:
        state = State.ENDED if self.exit else State.READY if self.has_reached(READY) else State.PENDING
        upstream = f"unix:{self.socket}" if state is State.READY else None
        return Observation(self.id, self.spec.workspace_id, state, tuple(self.checkpoints), upstream, self.exit)

    def has_reached(self, checkpoint: str) -> bool:
        return any(reached.name == checkpoint for reached in self.checkpoints)

    @property
    def is_begun(self) -> bool:
        """Whether there may be a process of it."""
        return self.has_reached(WORKSPACE_READY) or self.folder.supervisor.exists()

    def reach(self, checkpoint: str) -> bool:
        """Write a checkpoint down; False where it was reached before."""
        if self.has_reached(checkpoint):
            return False
        self.checkpoints.append(Checkpoint(checkpoint, now()))
        try:
            append_line(
                self.folder.checkpoints, wire.checkpoint_to_json(self.checkpoints[-1]), name=f"write down: {checkpoint}"
            )
        except OSError:
            log.exception("the checkpoint cannot be written down; a restarted agent will find it out again")
        return True

    def free_slot(self) -> None:
        """Let another start have its turn. A start that was adopted has no slot."""
        if self.slot is not None:
            self.slot.free()

    def has_socket(self) -> bool:
        return os.path.exists(self.socket)  # noqa: PTH110 (asked often while it starts)

    async def is_supervised(self) -> None:
        """Returns when the supervisor has written down who it is."""
        while not self.folder.supervisor.exists():  # noqa: ASYNC110 (another process writes the file)
            await asyncio.sleep(0.01)

    def first_process(self) -> int | None:
        """Podium's own in the environment's namespace of processes, where it has one."""
        first = (read_json(self.folder.supervisor) or {}).get("first")
        return first["pid"] if first else None

    def remove_group(self) -> None:
        """The control group, where it had one and nothing is left in it: its supervisor does that, unless it was killed."""
        if group := (read_json(self.folder.spec) or {}).get("group"):
            with crossing("remove a control group"), contextlib.suppress(OSError):
                os.rmdir(group)  # noqa: PTH106 (a name as it was read)

    def recorded_exit(self) -> Exit | None:
        recorded = read_json(self.folder.exit)
        return wire.exit_from_json(recorded) if recorded else None

    def write_stop(self, why: Ending, detail: str = "") -> None:
        """The order to end, kept for whoever comes next. The first reason stays. One that cannot be kept holds all the same."""
        try:
            if not self.folder.stop.exists():
                write_json(self.folder.stop, {"why": why, "detail": detail}, name="write the order to stop", lasting=True)
        except OSError:
            log.exception("the order to stop %s cannot be written down; a restarted agent has to be told again", self.id)
        self.told_to_stop.set()

    def write_exit(self, why: Ending, detail: str = "") -> None:
        """For an end that no supervisor could record."""
        self.exit = Exit(why, now(), None, detail, None)
        try:
            write_json(self.folder.exit, wire.exit_to_json(self.exit), name="record an end", lasting=True)
        except OSError:
            log.exception("the end of %s cannot be recorded; a restarted agent will find it out again", self.id)

    @contextmanager
    def unsupervised(self) -> Iterator[bool]:
        """Whether no supervisor has this start in hand; while inside, none can take it."""
        descriptor = os.open(self.folder.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield True
        except BlockingIOError:
            yield False
        finally:
            os.close(descriptor)

    def log(self, lines: int) -> str:
        """The last lines of what was printed."""
        try:
            with self.folder.log.open("rb") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - _LONGEST_TAIL))
                printed = file.read().decode(errors="replace").splitlines(keepends=True)
        except FileNotFoundError:
            return ""
        return "".join(printed[-lines:]) if lines > 0 else ""

"""One person's environment in an installation, and everything that must be true of it after a crash."""

import contextlib
import json
import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import httpx
from sqlmodel import select

from hub.clock import now
from hub.environments.model import Environment, Phase, Start, Target
from hub.errors import ClusterSilent
from hub.spawners.base import State
from hub.spawners.local.records import read_json
from hub.workspaces.model import Workspace, WorkspaceState
from tests.faults import machine
from tests.faults.hubs import Declined
from tests.faults.installation import Installation
from tests.faults.machine import Kind
from tests.faults.patient_server import DOUBLE, HOLD

NAME = "analysis"
NOTES = "Three days of work.\n"


class Case:
    """`row` and the others look at the database as it is now."""

    def __init__(self, podium: Installation) -> None:
        self.podium = podium
        self.user = podium.new_user()
        self._environment = self._workspace = ""
        self._wrote = False

    @property
    def row(self) -> Environment:
        return self.podium.row(Environment, self._environment)

    @property
    def files(self) -> Path:
        return self.podium.folders.workspace(self._workspace)

    def launch(self) -> None:
        self._environment = self.podium.command("launch", self.user, NAME)
        self._workspace = self.row.workspace_id

    def act(self, act: str) -> None:
        """`relaunch`, `stop`, `restart`, `delete`, …; already done is done where the first answer was lost."""
        with contextlib.suppress(Declined):
            self.podium.command(act, self.user, self._environment)

    def delete_workspace(self) -> None:
        with contextlib.suppress(Declined):
            self.podium.command("delete workspace", self.user, self._workspace)

    def run(self) -> str:
        """Until it runs; its start."""
        return self.until(Phase.RUNNING).start_id or ""

    def until(self, phase: Phase) -> Environment:
        return self.podium.until(lambda: self._in(phase), f"{phase}; it is {self._told()}")

    def until_deleted(self) -> None:
        self.podium.until(lambda: self.row.deleted_at, f"deleted; it is {self._told()}")

    def until_restarted(self, old: str) -> Environment:
        return self.podium.until(lambda: row if (row := self._in(Phase.RUNNING)) and row.start_id != old else None, "restarted")

    def until_reached(self, checkpoint: str) -> None:
        self.podium.until(lambda: checkpoint in self._checkpoints(), f"{checkpoint}; it is {self._told()}")

    def write(self) -> None:
        """Something of the person's own, which no crash may take."""
        (self.files / "notes.txt").write_text(NOTES)
        self._wrote = True

    def run_code(self, code: str) -> None:
        """In the environment's own process; returns when it has."""
        socket = str(self.podium.folders.socket(self.row.start_id or ""))
        with httpx.Client(transport=httpx.HTTPTransport(uds=socket), timeout=30) as client:
            client.post("http://environment/run", content=code).raise_for_status()

    @property
    def folder(self) -> Path:
        """Of the present start."""
        return self.podium.folders.start(self.row.start_id or "").path

    def rename_supervisor(self, **changes: int | str) -> None:
        """Let its start's folder name another process, or another boot."""
        file = self.folder / "supervisor.json"
        file.write_text(json.dumps((read_json(file) or {}) | changes))

    def reboot(self) -> None:
        """As a power cut does: everything ends at once, sockets are gone, and the next boot has another id."""
        self.podium.kill_everything_but_environments()
        for process in sorted(self.podium.running(), key=lambda found: found.kind is not Kind.SUPERVISOR):
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)
        self.rename_supervisor(boot_id="the boot before")
        shutil.rmtree(self.podium.folders.runtime)
        self.podium.start()

    def until_restarted_at_once(self, old: str) -> None:
        """The controller's back-off is cut short."""

        def look() -> bool:
            with self.podium.database.writing("test back-off") as session:
                row = session.get_one(Environment, self._environment)
                row.retry_at = now() if row.retry_at else None
                return row.phase is Phase.RUNNING and row.start_id != old

        self.podium.until(look, "restarted")

    def hold(self) -> None:
        """The next server does not begin to listen until `release`."""
        (self.files / HOLD).touch()

    def release(self) -> None:
        (self.files / HOLD).unlink(missing_ok=True)

    def faults(self) -> list[str]:
        """What is wrong now; empty when everything is as the rows say. Ask again while things settle."""
        return [*self._row_faults(), *self._process_faults(), *self._agent_faults(), *self._file_faults()]

    def settle(self) -> None:
        """Until nothing is wrong."""
        self.podium.until(lambda: not self.faults(), lambda: f"in order: {self.faults()}")

    def discard(self) -> None:
        """Leave nothing that a next case would notice."""
        if self._environment and self.row.deleted_at is None:
            self.act("delete")
            self.until_deleted()
        self.settle()

    def _in(self, phase: Phase) -> Environment | None:
        row = self.row
        return row if row.phase is phase else None

    def _told(self) -> str:
        return f"{self.row.phase} ({self.row.reason})" if self._environment else "not there"

    def _checkpoints(self) -> list[str]:
        """Of the start that is under way; a queued row still names the start before."""
        row = self._in(Phase.STARTING)
        return [point["name"] for point in self.podium.row(Start, row.start_id or "").checkpoints] if row else []

    def _row_faults(self) -> Iterator[str]:
        with self.podium.database.reading() as session:
            mine = session.exec(select(Environment).where(Environment.owner_id == self.user)).all()
        if [row.id for row in mine] != [self._environment]:
            yield f"environments lost or double: {[(row.id, row.phase) for row in mine]}"
        right = {Target.RUNNING: Phase.RUNNING, Target.STOPPED: Phase.STOPPED, Target.DELETED: Phase.STOPPED}
        if (row := self.row).phase is not right[row.target]:
            yield f"wanted {row.target} and {row.phase}"
        if row.target is Target.DELETED and row.deleted_at is None:
            yield "not deleted yet"

    def _process_faults(self) -> Iterator[str]:
        found, start = self.podium.running(), self._running_start()
        wanted = {Kind.AGENT: 1, Kind.WARM_PARENT: 1, Kind.SUPERVISOR: int(bool(start)), Kind.SERVER: int(bool(start))}
        for kind, number in wanted.items():
            if len(there := machine.of_kind(kind, found)) != number:
                yield f"{number} {kind.name} wanted: {there}"
        for process in found:
            if process.start and (process.start != start or process.workspace not in {"", self._workspace}):
                yield f"a stranger: {process}"
        named = (read_json(self.podium.folders.start(start).supervisor) or {}).get("pid") if start else None
        if named not in [None, *(process.pid for process in machine.of_kind(Kind.SUPERVISOR, found))]:
            yield f"the supervisor's name is of another process: {named}"

    def _agent_faults(self) -> Iterator[str]:
        start = self._running_start()
        try:
            with self.podium.spawner() as spawner:
                seen = {item.start_id: item.state for item in spawner.observe() if item.state is not State.ENDED}
        except ClusterSilent:
            yield "the agent does not answer"
            return
        if seen != ({start: State.READY} if start else {}):
            yield f"the agent observes {seen}, the row's start is {start}"

    def _file_faults(self) -> Iterator[str]:
        folders, row = self.podium.folders, self.row
        if left := set(machine.names_in(folders.starts)) - ({row.start_id} if row.deleted_at is None else set()):
            yield f"folders of starts that nobody has: {left}"
        deleted = [name for name in machine.names_in(folders.workspaces) if name.startswith("deleted-")]
        if left := {*machine.names_in(folders.trash), *deleted}:
            yield f"not emptied: {left}"
        if left := set(machine.names_in(folders.runtime)) - {folders.agent_socket.name, self._running_start()}:
            yield f"sockets of starts that do not run: {left}"
        if machine.text_of(self.files / DOUBLE):
            yield f"two servers at once: {machine.text_of(self.files / DOUBLE)}"
        if self.podium.row(Workspace, self._workspace).state is not WorkspaceState.PRESENT:
            yield from self._deletion_faults()
        elif row.delete_workspace and row.deleted_at:
            yield "the workspace was to go too"
        elif self._wrote and machine.text_of(self.files / "notes.txt") != NOTES:
            yield "the person's file is gone"

    def _deletion_faults(self) -> Iterator[str]:
        if self.podium.row(Workspace, self._workspace).state is not WorkspaceState.DELETED:
            yield "the workspace is not deleted yet"
        if self.files.exists():
            yield "the workspace's folder is still there"

    def _running_start(self) -> str:
        row = self.row
        return (row.start_id or "") if row.phase is Phase.RUNNING else ""

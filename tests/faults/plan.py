"""What a crash test tells the observers in hub and agent, by files in one folder.

plan       present while crossings count: who is to be killed, at which crossing, on which side
killed     made by the observer in the moment of the kill, so that nobody is killed twice
crossings  one line for each crossing that counted: process, side, name
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

Process = Literal["hub", "agent"]
Side = Literal["before", "after"]

NOT_PART_OF_THE_STORY = {
    "commit lease",
    "commit workspace size",
    "commit revocations of ended runs",
    "commit acknowledged control message",
    "control message",
}
"""These cross the seam whenever their time has come, whatever a person does."""


@dataclass(frozen=True)
class Plan:
    """Kill `process` at its crossing `number` (from 1) on that side; number 0 kills nobody. `id` tells plans apart."""

    id: str
    process: Process = "hub"
    number: int = 0
    side: Side = "before"


@dataclass(frozen=True)
class Crossing:
    process: Process
    side: Side
    name: str


class PlanFolder:
    """Both ends use it: the test arms and reads, the observers look and write."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._plan, self._killed, self._crossings = path / "plan", path / "killed", path / "crossings"

    def arm(self, plan: Plan) -> None:
        self.disarm()
        self._killed.unlink(missing_ok=True)
        self._crossings.unlink(missing_ok=True)
        draft = self.path / "plan.draft"
        draft.write_text(json.dumps(asdict(plan)))
        draft.rename(self._plan)

    def disarm(self) -> None:
        self._plan.unlink(missing_ok=True)

    def plan(self) -> Plan | None:
        try:
            return Plan(**json.loads(self._plan.read_text()))
        except FileNotFoundError:
            return None

    def claim_kill(self) -> bool:
        """True for exactly one caller of each plan."""
        try:
            self._killed.touch(exist_ok=False)
        except FileExistsError:
            return False
        return True

    @property
    def has_killed(self) -> bool:
        return self._killed.exists()

    def note(self, crossing: Crossing) -> None:
        with self._crossings.open("a") as file:
            file.write(f"{crossing.process}\t{crossing.side}\t{crossing.name}\n")

    def crossings(self, process: Process, side: Side) -> list[str]:
        """The names of the crossings that counted since the plan was armed, in order."""
        if not self._crossings.exists():
            return []
        lines = [line.split("\t") for line in self._crossings.read_text().splitlines()]
        return [name for told, at, name in lines if (told, at) == (process, side)]

"""Counts this process's crossings of the seam and kills it before or after the one that the plan names."""

import os
import signal
import threading
from pathlib import Path

from hub import seam
from tests.faults.plan import NOT_PART_OF_THE_STORY, Crossing, Plan, PlanFolder, Process, Side


class Observer:
    """Each side is counted for itself, because crossings of several threads overlap."""

    def __init__(self, process: Process, folder: PlanFolder) -> None:
        self._process, self._folder = process, folder
        self._lock = threading.Lock()
        self._counted: dict[tuple[str, Side], int] = {}

    def __call__(self, side: Side, name: str) -> None:
        plan = self._folder.plan()
        if plan is None or name in NOT_PART_OF_THE_STORY:
            return
        with self._lock:
            number = self._counted[plan.id, side] = self._counted.get((plan.id, side), 0) + 1
            self._folder.note(Crossing(self._process, side, name))
            if self._is_meant(plan, side, number) and self._folder.claim_kill():
                os.kill(os.getpid(), signal.SIGKILL)

    def _is_meant(self, plan: Plan, side: Side, number: int) -> bool:
        return (plan.process, plan.side, plan.number) == (self._process, side, number)


def install(process: Process, folder: Path) -> None:
    seam.observers.append(Observer(process, PlanFolder(folder)))

"""Fifty people press *Launch* in the same moment, on a machine that has room for twelve."""

import threading
import time

from hub.environments.model import Phase
from tests.bench.figures import Figure
from tests.bench.ground import Ground, Visitor

PEOPLE = 50
ROOM = 12
REQUEST = 256 * 2**20
"""Bytes that a preset sets aside."""


def fifty_at_once(ground: Ground) -> Figure:
    """Seconds until the last of them has an answer; and nobody is lost, double, or out of order."""
    visitors = [ground.visitor(f"burst{number}") for number in range(PEOPLE)]
    statuses: list[int] = []
    gate = threading.Barrier(PEOPLE + 1)
    threads = [threading.Thread(target=_launch, args=(visitor, gate, statuses)) for visitor in visitors]
    for thread in threads:
        thread.start()
    gate.wait()
    began = time.monotonic()
    for thread in threads:
        thread.join()
    took = time.monotonic() - began
    assert statuses == [303] * PEOPLE
    _check(ground, visitors)
    for visitor in visitors:
        ground.services.environments.stop(visitor.person, visitor.view.id)
    for visitor in visitors:
        ground.until(visitor.person, visitor.view, Phase.STOPPED)
    return Figure("50 launches at once, until the last is accepted", took, "s", limit=2)


def _launch(visitor: Visitor, gate: threading.Barrier, statuses: list[int]) -> None:
    gate.wait()
    statuses.append(visitor.ask("POST", "/_podium/launch", b"next=/"))


def _check(ground: Ground, visitors: list[Visitor]) -> None:
    deadline = time.monotonic() + 60
    while True:
        views = [ground.services.environments.get(visitor.person, visitor.view.id) for visitor in visitors]
        waiting = [view for view in views if view.phase is Phase.QUEUED]
        if sum(view.phase is Phase.RUNNING for view in views) == ROOM:
            break
        assert time.monotonic() < deadline, [view.phase for view in views]
        time.sleep(0.05)
    assert len(waiting) == PEOPLE - ROOM
    in_order = sorted(waiting, key=lambda view: view.queue_position or 0)
    assert [view.queue_position for view in in_order] == list(range(1, PEOPLE - ROOM + 1))
    assert [view.since for view in in_order] == sorted(view.since for view in waiting)
    assert len(ground.services.spawners["local"].observe()) == ROOM

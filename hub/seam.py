"""The one seam that every commit and every side effect of a spawner crosses.

A crash can strike between any two of these crossings, so the crash tests count them, kill the
process before and after each one, and check that nothing was lost (`tests/faults/`). In
production nobody observes the seam and a crossing costs an empty loop. A test over the source
refuses a commit, a process start, a signal or a write to a workspace outside it.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

Side = Literal["before", "after"]

observers: list[Callable[[Side, str], None]] = []
"""Called with the side and the crossing's name, in the thread that crosses."""


@contextmanager
def crossing(name: str) -> Iterator[None]:
    """Wrap one side effect. An exception inside passes through; "after" is then not observed."""
    for observe in observers:
        observe("before", name)
    yield
    for observe in observers:
        observe("after", name)

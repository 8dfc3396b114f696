"""The hub's own share of a launch, on its monotonic clock: what passes between its calls, and after the last news."""

import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any, Self
from unittest import mock

from hub.environments import steps
from hub.spawners.base import Observation, State
from hub.spawners.kubernetes import calls
from hub.spawners.kubernetes.starts import Starts


class Clock:
    """When a launch was asked for, calls began and ended, the pod was told as Ready, and running was committed."""

    def __init__(self) -> None:
        self.asked = self.told = self.committed = 0.0
        self.spans: list[tuple[float, float]] = []
        self._patches: list[Any] = []

    def __enter__(self) -> Self:
        self.asked = time.monotonic()
        self._patches = [
            mock.patch("hub.spawners.kubernetes.api.call", self._timed(calls.call)),
            mock.patch.object(Starts, "pod_is", self._hearing(Starts.pod_is)),
            mock.patch.object(steps, "record_progress", self._committing(steps.record_progress)),
        ]
        for patch in self._patches:
            patch.start()
        return self

    def __exit__(self, *_: object) -> None:
        for patch in self._patches:
            patch.stop()

    @property
    def calls(self) -> int:
        return len(self.spans)

    @property
    def total(self) -> float:
        return self.committed - self.asked

    @property
    def share(self) -> float:
        """Seconds: request to first call, the gaps between calls, Ready heard to running committed."""
        writes = sorted(self.spans)
        gaps = sum(max(0.0, after[0] - before[1]) for before, after in pairwise(writes))
        return writes[0][0] - self.asked + gaps + self.committed - self.told

    def _timed(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*arguments: Any, **options: Any) -> Any:
            began = time.monotonic()
            try:
                return call(*arguments, **options)
            finally:
                self.spans.append((began, time.monotonic()))

        return timed

    def _hearing(self, pod_is: Callable[..., None]) -> Callable[..., None]:
        def hearing(starts: Starts, pod: Any) -> None:
            heard = time.monotonic()
            pod_is(starts, pod)
            start = starts.seen.get(pod["metadata"]["labels"]["podium/start"])
            if start and start.state is State.READY and not self.told:
                self.told = heard

        return hearing

    def _committing(self, record: Callable[..., None]) -> Callable[..., None]:
        def committing(database: Any, environment_id: str, observation: Observation) -> None:
            record(database, environment_id, observation)
            if observation.state is State.READY and not self.committed:
                self.committed = time.monotonic()

        return committing

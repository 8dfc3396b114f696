"""What a neighbour notices of code that takes all that it can get: how long its rerun takes, beside how long it took before."""

import time
from collections.abc import Iterator
from pathlib import Path
from statistics import quantiles

from hub.spawners.base import StartSpec
from hub.spawners.local.options import CODE
from tests.bench.figures import Figure
from tests.isolation.test_greed import BOMB, HOARD
from tests.spawners.far_side import MIB, ended, ready
from tests.spawners.local_side import LocalFarSide

RERUNS, MOST = 40, 3
"""Reruns that are timed; how many times longer they may take."""
FILES = """
import pathlib, threading
def write():
    for number in range(1_000_000):
        folder = pathlib.Path(str(number // 1000))
        folder.mkdir(exist_ok=True)
        (folder / str(number)).touch()
threading.Thread(target=write, daemon=True).start()
"""
RERUN = """
import numpy, pandas
table = pandas.DataFrame({'key': numpy.arange(200_000) % 1000, 'value': numpy.arange(200_000) * 0.5})
result = table.groupby('key').value.sum().sum()
"""


def figures(folder: Path) -> Iterator[Figure]:
    python = CODE / ".venv" / "bin" / "python"
    far = LocalFarSide(folder, interpreters=(python,))
    try:
        neighbour = far.spec(image=str(python), memory=2048 * MIB)
        ready(far, neighbour)
        for name, code in (("a bomb of forks", BOMB), ("10 GB of memory", HOARD), ("1,000,000 files", FILES)):
            before = _p95(far, neighbour)
            greedy = far.spec(image=str(python), memory=1024 * MIB)
            ready(far, greedy)
            far.run(greedy.start_id, code)
            yield Figure(f"A neighbour's rerun (p95) beside {name}", _p95(far, neighbour), "ms", before, "before", MOST)
            far.spawner.stop(greedy.start_id)
            ended(far, greedy.start_id)
    finally:
        far.close()


def _p95(far: LocalFarSide, spec: StartSpec) -> float:
    taken = []
    for _ in range(RERUNS):
        began = time.perf_counter()
        far.run(spec.start_id, RERUN)
        taken.append((time.perf_counter() - began) * 1000)
    return quantiles(taken, n=20)[-1]

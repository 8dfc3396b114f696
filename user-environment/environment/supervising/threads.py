"""Number libraries take one thread per core of the machine unless they are told what their share is.

Variables tell those that are loaded later and every program that is started below. NumPy's OpenBLAS
and pyarrow were loaded by the warm parent, which knew no share, so they are told by a call.
"""

import ctypes
import sys
from pathlib import Path

_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "POLARS_MAX_THREADS",
)
_OPENBLAS = ("scipy_openblas_set_num_threads64_", "openblas_set_num_threads64_", "openblas_set_num_threads")


def thread_variables(threads: int) -> dict[str, str]:
    return dict.fromkeys(_VARIABLES, str(threads))


def limit_threads(threads: int) -> None:
    """For what this process has loaded already. A library of unknown make keeps its own mind."""
    if "numpy" in sys.modules:
        _limit_openblas(threads)
    if arrow := sys.modules.get("pyarrow"):
        arrow.set_cpu_count(threads)


def _limit_openblas(threads: int) -> None:
    with Path("/proc/self/maps").open() as maps:
        paths = {line.split(maxsplit=5)[5].strip() for line in maps if "openblas" in line}
    for path in paths:
        library = ctypes.CDLL(path)
        for name in _OPENBLAS:
            if setter := getattr(library, name, None):
                setter(threads)
                break

"""What it costs that environments are kept apart: a launch, and three kinds of work in one, beside the same without."""

import inspect
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from hub.spawners.base import StartSpec
from hub.spawners.local.options import CODE
from tests.bench.figures import Figure
from tests.spawners.far_side import MIB, ready
from tests.spawners.local_side import LocalFarSide

ROUNDS = 9


def figures(folder: Path) -> Iterator[Figure]:
    """Inside and outside take turns, so that the machine's mood counts for both."""
    with ExitStack() as stack:
        apart, together = (_running(stack, folder / isolation, isolation) for isolation in ("any", "none"))
        entered = median(float(_run(together, enter_walls)) for _ in range(ROUNDS))
        yield Figure("Keeping an environment apart, of its launch", entered * 1000, "ms", limit=20)
        for work in (group_by, duckdb_query, small_files, small_files_from_the_disk, small_tables):
            pairs = [(float(_run(apart, work)), float(_run(together, work))) for _ in range(ROUNDS)]
            inside, outside = (median(one) * 1000 for one in zip(*pairs, strict=True))
            name = work.__name__.replace("_", " ")
            promised = None if work is small_files else 1.05  # Landlock asks at each file that is opened; docs/benchmarks.md
            yield Figure(f"{name.capitalize()} where it is kept apart", inside, "ms", outside, "where not", promised)


def _running(stack: ExitStack, folder: Path, isolation: str) -> tuple[LocalFarSide, StartSpec]:
    python = CODE / ".venv" / "bin" / "python"
    """With all cores, so that neither side has a faster one than the other."""
    far = LocalFarSide(folder, interpreters=(python,), isolation=isolation)
    stack.callback(far.close)
    spec = far.spec(image=str(python), cpu=os.cpu_count() or 1, memory=2048 * MIB)
    ready(far, spec)
    return far, spec


def _run(running: tuple[LocalFarSide, StartSpec], work: Callable[[], float]) -> str:
    far, spec = running
    return far.run(spec.start_id, f"{inspect.getsource(work)}\nresult = {work.__name__}()")


def enter_walls() -> float:
    """As a launch does it, in a process that was just forked and is not apart yet."""
    import os  # noqa: PLC0415
    import time  # noqa: PLC0415
    from pathlib import Path  # noqa: PLC0415

    from environment.confining import first_process  # noqa: PLC0415
    from environment.confining.confinement import Confinement, enter  # noqa: PLC0415

    root = Path("root")
    (root / "files").mkdir(parents=True, exist_ok=True)
    reading, writing = os.pipe()
    apart = first_process.is_possible()
    if os.fork() == 0:
        began = time.perf_counter()
        first_process.begin(as_root=False) if apart else None
        server = os.fork()
        if server == 0:
            folder = root.absolute()
            enter(Confinement((Path.cwd(),), (), folder, folder / "files", 2**30, own_processes=apart))
            os.write(writing, str(time.perf_counter() - began).encode())
            os._exit(0)
        os.waitpid(server, 0)
        os._exit(0)
    os.wait()
    return float(os.read(reading, 100))


def group_by() -> float:
    import time  # noqa: PLC0415

    import numpy as np  # noqa: PLC0415
    import pandas as pd  # noqa: PLC0415

    table = pd.DataFrame({"key": np.arange(2_000_000) % 1000, "value": np.arange(2_000_000) * 0.5})
    began = time.perf_counter()
    table.groupby("key").value.agg(["mean", "sum", "max"])
    return time.perf_counter() - began


def duckdb_query() -> float:
    import time  # noqa: PLC0415

    import duckdb  # noqa: PLC0415

    began = time.perf_counter()
    duckdb.sql("select range % 1000 k, sum(range) s from range(5000000) group by k order by s").fetchall()
    return time.perf_counter() - began


def small_files_from_the_disk() -> float:
    """None of what they hold is in memory."""
    import os  # noqa: PLC0415
    import time  # noqa: PLC0415
    from pathlib import Path  # noqa: PLC0415

    os.sync()
    for path in Path("small").iterdir():
        descriptor = os.open(path, os.O_RDONLY)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(descriptor)
    began = time.perf_counter()
    for number in range(10_000):
        Path("small", str(number)).read_bytes()
    return time.perf_counter() - began


def small_tables() -> float:
    """As small files mostly are read."""
    import time  # noqa: PLC0415
    from pathlib import Path  # noqa: PLC0415

    import pandas as pd  # noqa: PLC0415

    folder = Path("tables")
    if not folder.exists():
        folder.mkdir()
        for number in range(10_000):
            (folder / str(number)).write_text("time,value\n1,2\n3,4\n")
    began = time.perf_counter()
    for number in range(10_000):
        pd.read_csv(folder / str(number))
    return time.perf_counter() - began


def small_files() -> float:
    import time  # noqa: PLC0415
    from pathlib import Path  # noqa: PLC0415

    folder = Path("small")
    if not folder.exists():
        folder.mkdir()
        for number in range(10_000):
            (folder / str(number)).write_text("a few bytes")
    began = time.perf_counter()
    for number in range(10_000):
        (folder / str(number)).read_bytes()
    return time.perf_counter() - began

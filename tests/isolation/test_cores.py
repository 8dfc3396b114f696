"""Where no control group holds CPU, an environment keeps to as many of the machine's cores as its preset says.

The machine may have any number of cores. Where it has one, all environments have that one; and where a control group holds CPU
here, they have all: then the same tests see that no cores are given.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from inspect import cleandoc
from pathlib import Path
from textwrap import indent

import pytest

from hub.spawners.base import StartSpec
from hub.spawners.local.cores import own_cores
from hub.spawners.local.limits import limits_in_force
from hub.spawners.local.options import CODE
from tests.isolation.machines import MACHINES
from tests.spawners.far_side import MIB, ended, ready
from tests.spawners.local_side import LocalFarSide

OWN = set(own_cores())
"""What these tests may use, and so the agent that they start."""
THERE_ARE = os.cpu_count() or 1
ALL = list(range(max(THERE_ARE, *OWN, 1) + 1))
ALL_BUT_ONE = max(1, len(OWN) - 1)
BY_GROUP = limits_in_force().cpu
ONE = len(OWN) if BY_GROUP else 1
"""How many an environment has whose preset says one."""
KEEPS = not BY_GROUP and THERE_ARE > 1
"""Whether cores are given to it at all."""
COUNT = "len(os.sched_getaffinity(0))"
WIDEN = {
    "by itself": f"os.sched_setaffinity(0, {ALL})",
    "by its number": f"os.sched_setaffinity(os.getpid(), {ALL})",
    "by a call past the library": """
        number = 122 if os.uname().machine == 'aarch64' else 203
        assert ctypes.CDLL(None).syscall(number, 0, 128, b'\\xff' * 128) == 0
    """,
    "by a thread": f"""
        found = []
        def widen(): os.sched_setaffinity(0, {ALL}); found.append({COUNT})
        one = threading.Thread(target=widen); one.start(); one.join(); count = found[0]
    """,
    "by a program": f"""
        code = 'import os; os.sched_setaffinity(0, {ALL}); os.sched_setaffinity(os.getppid(), {ALL}); print({COUNT})'
        count = int(subprocess.check_output([sys.executable, '-c', code]))
    """,
    "by taskset": f"""
        code = 'import os; print({COUNT})'
        command = ['taskset', '--cpu-list', '0-{ALL[-1]}', sys.executable, '-c', code]
        count = int(subprocess.check_output(command))
    """,
}
"""Each leaves how many cores it has then, or nothing where that is the number of the server's process."""


@pytest.fixture(scope="module", params=MACHINES, ids=lambda machine: machine.name)
def on_a_machine(request: pytest.FixtureRequest) -> Iterator[tuple[LocalFarSide, StartSpec]]:
    with ExitStack() as stack:
        folder, options = stack.enter_context(request.param.folder())
        far = LocalFarSide(folder / "data", lesser=request.param.lesser, **options)
        stack.callback(far.close)
        spec = far.spec(cpu=0.5)
        ready(far, spec)
        yield far, spec


@pytest.fixture
def far(tmp_path: Path) -> Iterator[LocalFarSide]:
    one = LocalFarSide(tmp_path / "data")
    yield one
    one.close()


def cores_of(far: LocalFarSide, spec: StartSpec) -> set[int]:
    """Of a start that is ordered now, as it sees them itself."""
    ready(far, spec)
    return set(map(int, far.run(spec.start_id, "import os; result = ' '.join(map(str, os.sched_getaffinity(0)))").split()))


def rest(taken: set[int]) -> set[int]:
    """What is left, or all where nothing is."""
    return OWN - taken or OWN


def tried(far: LocalFarSide, spec: StartSpec, code: str) -> tuple[int, str]:
    """What the code leaves in `result`, or how many cores the environment has behind it; and the error that it was told."""
    told = far.run(
        spec.start_id,
        f"import ctypes, os, subprocess, sys, threading\ncount, error = 0, ''\ntry:\n{indent(cleandoc(code), '    ')}\n"
        "except (OSError, AssertionError, subprocess.CalledProcessError) as told:\n    error = type(told).__name__\n"
        f"result = f'{{count or {COUNT}}} {{error}}'",
    )
    count, _, error = told.partition(" ")
    return int(count), error


def in_it(far: LocalFarSide, spec: StartSpec, code: str = "pass") -> int:
    return tried(far, spec, code)[0]


def program(code: str) -> str:
    """One that it starts, without the variables that tell libraries."""
    return f"count = int(subprocess.check_output([sys.executable, '-c', {code!r}], env={{}}))"


def test_an_environment_and_what_it_starts_have_as_many_cores_as_its_preset_says(
    on_a_machine: tuple[LocalFarSide, StartSpec],
) -> None:
    far, spec = on_a_machine
    assert in_it(far, spec) == ONE
    assert in_it(far, spec, program(f"import os; print({COUNT})")) == ONE


@pytest.mark.parametrize("way", WIDEN)
def test_it_takes_no_more_and_is_told_that_it_did(on_a_machine: tuple[LocalFarSide, StartSpec], way: str) -> None:
    far, spec = on_a_machine
    count, error = tried(far, spec, WIDEN[way])
    assert (count, error if KEEPS else "") == (ONE, "")
    assert in_it(far, spec) == ONE


def test_without_walls_it_takes_more(tmp_path: Path) -> None:
    """It begins with its own all the same."""
    widest = int(subprocess.check_output([sys.executable, "-c", f"import os; os.sched_setaffinity(0, {ALL}); print({COUNT})"]))
    far = LocalFarSide(tmp_path / "data", isolation="none")
    try:
        ready(far, spec := far.spec())
        assert in_it(far, spec) == ONE
        assert [in_it(far, spec, way) for way in WIDEN.values()] == [widest] * len(WIDEN)
    finally:
        far.close()


def test_two_have_different_cores(far: LocalFarSide) -> None:
    """Or the only one."""
    one = cores_of(far, far.spec())
    assert cores_of(far, far.spec()) <= rest(one)


def test_cores_are_given_anew_when_their_start_has_ended(far: LocalFarSide) -> None:
    one, other = far.spec(cpu=ALL_BUT_ONE), far.spec()
    first, last = cores_of(far, one), cores_of(far, other)
    assert last == rest(first)
    far.spawner.stop(other.start_id)
    ended(far, other.start_id)
    assert cores_of(far, far.spec()) == last


def test_the_next_agent_knows_who_has_which(far: LocalFarSide) -> None:
    first = cores_of(far, far.spec(cpu=ALL_BUT_ONE))
    os.kill(far.agent(), signal.SIGKILL)
    assert cores_of(far, far.spec()) == rest(first)


def test_who_may_have_the_whole_machine_keeps_to_nothing(far: LocalFarSide) -> None:
    """Where the agent itself may use a part of it alone, it keeps to that."""
    spec = far.spec(cpu=THERE_ARE)
    assert cores_of(far, spec) == OWN
    binds = BY_GROUP or len(OWN) == THERE_ARE
    assert in_it(far, spec, f"os.sched_setaffinity(0, [{min(OWN)}])") == (1 if binds else len(OWN))


def test_libraries_that_ask_the_kernel_count_the_cores_that_they_have(tmp_path: Path) -> None:
    """Without the variables that tell them, too. Python's `os.cpu_count` counts the machine's."""
    far = LocalFarSide(tmp_path / "data", interpreters=(CODE / ".venv" / "bin" / "python",))
    try:
        spec = far.spec(memory=2048 * MIB)
        ready(far, spec)
        assert in_it(far, spec, "count = os.cpu_count()") == THERE_ARE
        assert in_it(far, spec, program("import pyarrow; print(pyarrow.cpu_count())")) == ONE
    finally:
        far.close()

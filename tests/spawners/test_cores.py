"""Which cores a start is given to keep to, and where none are."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from hub.spawners.base import StartSpec
from hub.spawners.local.cores import Cores
from hub.spawners.local.isolation import Isolation
from hub.spawners.local.limits import Limits
from hub.spawners.local.options import CODE
from hub.spawners.local.records import read_json, write_json
from hub.spawners.local.starts import Starts
from hub.spawners.local.workspaces import Workspaces
from tests.spawners.local_side import LocalFarSide


def four(name: str = "one") -> Cores:
    """A machine with four."""
    return Cores(name, lambda: {0, 1, 2, 3}, 4)


def test_a_start_gets_the_cores_that_the_fewest_have() -> None:
    cores = four()
    three, last = cores.take("a", 3), cores.take("b", 1)
    assert three
    assert last == sorted({0, 1, 2, 3} - set(three))
    cores.free("a")
    assert cores.take("c", 2.5) == three


@pytest.mark.parametrize(("cpu", "count"), [(0.1, 1), (1, 1), (1.1, 2), (3, 3)])
def test_a_part_of_a_core_is_a_whole_one(cpu: float, count: int) -> None:
    assert len(four().take("a", cpu) or ()) == count


@pytest.mark.parametrize("cpu", [3.1, 4, 64])
def test_nothing_is_given_to_whoever_may_have_all_that_there_are(cpu: float) -> None:
    assert four().take("a", cpu) is None
    assert Cores("one", lambda: {2, 3}, 4).take("a", cpu) == [2, 3]


def test_a_start_whose_order_cannot_be_written_counts_once() -> None:
    cores = Cores("one", lambda: {0, 1}, 2)
    first = cores.take("a", 1)
    assert all(cores.take("a", 1) == first for _ in range(3))
    assert cores.take("b", 1) != first


def test_what_an_earlier_agent_gave_is_known_also_if_it_is_no_core_of_this_one_s() -> None:
    cores = Cores("one", lambda: {0, 1}, 8)
    for start, given in (("a", [0, 7]), ("b", None)):
        cores.keep(start, given)
    assert cores.take("c", 1) == [1]


def test_podiums_of_one_machine_do_not_all_begin_with_the_same_core() -> None:
    assert len({tuple(four(f"/data/{number}").take("a", 1) or ()) for number in range(50)}) == 4


@pytest.mark.parametrize("group", [True, False])
def test_every_order_names_cores_since_a_control_group_may_fail(tmp_path: Path, *, group: bool) -> None:
    """But where there is but one."""
    far = LocalFarSide(tmp_path / "data")

    async def ordered(spec: StartSpec) -> None:
        limits = Limits(tmp_path, cpu=group)
        starts = Starts(far.folders, far.options, limits, {}, Workspaces(far.folders, None), Isolation("none"))
        starts.order(spec)
        await starts.leave()

    try:
        asyncio.run(ordered(spec := far.spec()))
    finally:
        far.close()
    order = read_json(far.folders.start(spec.start_id).spec)
    assert order
    expected = None if os.cpu_count() == 1 else 1
    assert (order["cores"] and len(order["cores"])) == expected
    assert order["confinement"]["pinned"] == (expected is not None)


STARTED = """
import os, signal, sys
from pathlib import Path
from environment.local.start import supervise
from environment.supervising.supervisor import AWAITED
signal.pthread_sigmask(signal.SIG_BLOCK, AWAITED)
supervise(Path(sys.argv[1]), lambda _: print(len(os.sched_getaffinity(0))))
"""
FILES = ("memory.max", "memory.oom.group", "pids.max", "cgroup.procs", "cpu.max")
"""What the kernel puts into a control group."""


def printed(folder: Path, files: Iterable[str]) -> list[str]:
    """The log of a start that is to have one core, and a stand-in for a control group with such files, where there are any."""
    group = folder / "group"
    for name in files:
        group.mkdir(exist_ok=True)
        (group / name).touch()
    server = {"workspace": str(folder), "script": "none", "socket": str(folder / "socket"), "start_id": "one", "keys": [{}]}
    spec = {
        "server": {**server, "environment_id": "one"}, "group": str(group), "memory": 2**30, "processes": 64, "cpu": 1,
        "cores": [min(os.sched_getaffinity(0))], "runtime": str(folder / "run"), "temporary": str(folder / "short"),
        "lock": str(folder / "workspace-lock"), "variables": {},
    }  # fmt: skip
    write_json(folder / "spec.json", spec, name="write a spec")
    subprocess.run([sys.executable, "-c", STARTED, folder], env={**os.environ, "PYTHONPATH": str(CODE)}, check=True)
    return (folder / "log").read_text().splitlines()


def test_where_a_control_group_holds_cpu_no_cores_do(tmp_path: Path) -> None:
    assert printed(tmp_path, FILES) == [str(len(os.sched_getaffinity(0)))]


def test_where_the_group_was_given_no_cpu_cores_hold_it(tmp_path: Path) -> None:
    assert printed(tmp_path, FILES[:-1]) == ["1"]


@pytest.mark.parametrize("there", [(), FILES[:1]], ids=["empty", "half made"])
def test_where_the_group_cannot_be_made_cores_hold_cpu_and_the_log_says_what_holds_memory(
    tmp_path: Path, there: tuple[str, ...]
) -> None:
    said, cores = printed(tmp_path, there)
    assert said.startswith("[no control group could be made: a watchdog holds memory and processes (")
    assert cores == "1"


def test_where_the_group_refuses_cpu_cores_hold_it_and_the_log_says_so(tmp_path: Path) -> None:
    (tmp_path / "group" / "cpu.max").mkdir(parents=True)
    said, cores = printed(tmp_path, FILES[:-1])
    assert said.startswith("[its control group does not hold CPU (")
    assert cores == "1"

"""Which cores a start is given to keep to, and where none are."""

import asyncio
import os
from pathlib import Path

import pytest

from hub.spawners.base import StartSpec
from hub.spawners.local.cores import Cores
from hub.spawners.local.isolation import Isolation
from hub.spawners.local.limits import Limits
from hub.spawners.local.records import read_json
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
def test_none_are_given_where_a_control_group_holds_cpu(tmp_path: Path, *, group: bool) -> None:
    """Nor where there is but one."""
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
    expected = None if group or os.cpu_count() == 1 else 1
    assert (order["cores"] and len(order["cores"])) == expected
    assert order["confinement"]["pinned"] == (expected is not None)

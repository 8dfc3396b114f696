"""Which means holds an environment to its limits here, and what the control group is told."""

from pathlib import Path

import pytest
from environment.supervising.limits import Group, guard
from environment.supervising.watchdog import Watchdog

from hub.spawners.local.limits import limits_in_force


def _tree(top: Path, own: str, controllers: str) -> tuple[Path, Path]:
    """A stand-in for /proc/self/cgroup and /sys/fs/cgroup with one group that holds this process."""
    parent = (top / own.strip("/")).parent
    (top / own.strip("/")).mkdir(parents=True)
    (parent / "cgroup.subtree_control").write_text(controllers)
    (parent / "cgroup.procs").write_text("")
    (top / "self").write_text(f"1:name=systemd:/other\n0::{own}\n")
    return top / "self", top


def test_a_group_that_may_be_divided_is_found(tmp_path: Path) -> None:
    own, tree = _tree(tmp_path, "/user.slice/app.slice/podium.scope", "cpu memory pids\n")
    limits = limits_in_force(own, tree)
    assert limits.parent == tmp_path / "user.slice" / "app.slice"
    assert "process and CPU limits are held by control groups" in limits.sentence()


@pytest.mark.parametrize("controllers", ["memory pids", ""])
def test_where_no_group_holds_cpu_cores_do(tmp_path: Path, controllers: str) -> None:
    limits = limits_in_force(*_tree(tmp_path, "/user.slice/podium.scope", controllers))
    assert (limits.cpu, limits.parent is None) == (False, not controllers)
    assert "as many of the machine's cores as its preset says" in limits.sentence()


@pytest.mark.parametrize("controllers", ["", "cpu", "memory", "pids cpuset"])
def test_without_both_controllers_the_watchdog_is_in_force(tmp_path: Path, controllers: str) -> None:
    limits = limits_in_force(*_tree(tmp_path, "/user.slice/podium.scope", controllers))
    assert limits.parent is None
    assert "watchdog" in limits.sentence()


def test_without_control_groups_of_version_two_the_watchdog_is_in_force(tmp_path: Path) -> None:
    (tmp_path / "self").write_text("4:memory:/\n")
    assert limits_in_force(tmp_path / "self", tmp_path).parent is None
    assert limits_in_force(tmp_path / "absent", tmp_path).parent is None


def test_a_control_group_is_told_the_limits_and_tells_what_was_passed(tmp_path: Path) -> None:
    (tmp_path / "group").mkdir()
    for name in ("memory.max", "memory.oom.group", "pids.max", "cpu.max"):
        (tmp_path / "group" / name).touch()
    group = guard(1000, 20, 1.5, tmp_path / "group")
    assert isinstance(group, Group)
    told = {file.name: file.read_text() for file in (tmp_path / "group").iterdir()}
    assert told == {"memory.max": "1000", "memory.oom.group": "1", "pids.max": "20", "cpu.max": "150000 100000"}
    assert group.breach([]) is None
    (tmp_path / "group" / "memory.peak").write_text("990\n")
    (tmp_path / "group" / "memory.events").write_text("max 3\noom_kill 1\n")
    breach = group.breach([])
    assert breach
    assert breach.why == "out_of_memory"
    assert group.peak == 990


@pytest.mark.parametrize("name", ["absent/group", "group"], ids=["not at all", "half"])
def test_where_the_group_cannot_be_made_the_watchdog_takes_over_and_nothing_is_left(tmp_path: Path, name: str) -> None:
    """In a folder that is no control group the kernel has put no files."""
    assert isinstance(guard(1000, 20, 1, tmp_path / name), Watchdog)
    assert not list(tmp_path.iterdir())

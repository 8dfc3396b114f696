"""What a supervisor wrote down of itself holds for one life of the machine, and of the container that it ran in."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from environment.supervising import processes as below

from hub.clock import new_id
from hub.settings import ROOT
from hub.spawners.base import Ending
from hub.spawners.local import processes
from hub.spawners.local.options import CODE
from hub.spawners.local.records import write_json
from tests.spawners.far_side import ended, observed, ready, until
from tests.spawners.local_side import LocalFarSide, lives
from tests.spawners.test_supervisor import a_stranger
from tests.support.ci import absent

MACHINE = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
ANOTHER_BOOT = {"machine": new_id(), "container": f"{MACHINE}-1", "container of a machine": f"{new_id()}-1"}


@pytest.mark.case("R25")
@pytest.mark.parametrize("of", ANOTHER_BOOT)
def test_a_record_of_another_boot_names_nobody_though_number_and_start_time_are_right(far: LocalFarSide, of: str) -> None:
    with a_stranger() as stranger:
        start_id = _said_to_be_supervised_by(far, stranger.pid, ANOTHER_BOOT[of])
        exit_ = ended(far, start_id).exit
        assert stranger.poll() is None
    assert exit_
    assert exit_.why is Ending.LOST


def test_a_record_of_this_boot_names_whoever_has_number_and_start_time(far: LocalFarSide) -> None:
    with a_stranger() as stranger:
        start_id = _said_to_be_supervised_by(far, stranger.pid, processes.boot_id())
        far.spawner.stop(start_id)
        ended(far, start_id)
        assert stranger.wait(10) == -signal.SIGTERM


def _said_to_be_supervised_by(far: LocalFarSide, pid: int, boot: str) -> str:
    """A start of which nothing runs any more, under the next agent."""
    spec = far.spec()
    ready(far, spec)
    supervisor = far.supervisor(spec.start_id)
    os.kill(far.agent(), signal.SIGKILL)
    os.kill(supervisor["pid"], signal.SIGKILL)
    until(lambda: not lives(supervisor["pid"]) and far.processes(spec.start_id) == 0)
    named = {"pid": pid, "start_time": processes.start_time(pid), "boot_id": boot, "server": pid}
    write_json(far.folders.start(spec.start_id).supervisor, named, name="a record")
    return spec.start_id


@pytest.mark.parametrize(
    ("name", "kept"), [("spec.json", b""), ("stop.json", b""), ("exit.json", b""), ("checkpoints", bytes(100) + b"\n")]
)
def test_what_a_power_cut_has_spoilt_of_a_start_keeps_no_agent_from_starting(far: LocalFarSide, name: str, kept: bytes) -> None:
    with a_stranger() as stranger:
        start_id = _said_to_be_supervised_by(far, stranger.pid, ANOTHER_BOOT["machine"])
        folder = far.folders.start(start_id).path
        (folder / name).write_bytes(kept)
        ready(far, far.spec())
        if name == "spec.json":
            assert observed(far, start_id) is None
            assert not folder.exists()
            return
        exit_ = ended(far, start_id).exit
    assert exit_
    assert exit_.why is Ending.LOST


ASKED = """
import json, sys
from environment.supervising import processes as below
from hub.spawners.local import processes
said = {"boot": processes.boot_id(), "below": below.boot_id(), "holds": [processes.is_this_boot(one) for one in sys.argv[1:]]}
print(json.dumps(said))
"""


@dataclass(frozen=True)
class Said:
    boot: str
    below: str
    holds: list[bool]
    """For each boot that was asked about, whether it is this one."""


def _in_a_container(*boots: str) -> Said:
    """What a process says in a namespace of process numbers of its own, as a container has."""
    asked = subprocess.run(
        ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--mount-proc", sys.executable, "-c", ASKED, *boots],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": f"{ROOT}:{CODE}"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if asked.returncode:
        absent(f"This machine forbids namespaces of process numbers: {asked.stderr.strip()}")
    return Said(**json.loads(asked.stdout))


@pytest.mark.case("R25")
def test_each_life_of_a_container_is_a_boot_of_its_own_on_which_agent_and_supervisors_agree() -> None:
    first = _in_a_container()
    second = _in_a_container(first.boot, MACHINE)
    assert first.boot == first.below
    assert second.boot == second.below
    assert len({first.boot, second.boot, MACHINE}) == 3
    assert second.holds == [False, True]  # the machine's alone is what Podium 0.1 wrote in a container, too


def test_here_they_agree_too() -> None:
    assert processes.boot_id() == below.boot_id()
    assert processes.is_this_boot(below.boot_id())

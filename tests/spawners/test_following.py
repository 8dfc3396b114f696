"""Whatever goes wrong while a start is followed, it is followed on, and comes to its end."""

import asyncio
from pathlib import Path

import pytest

from hub.clock import new_id
from hub.spawners.base import Ending, StartSpec, State
from hub.spawners.local import processes
from hub.spawners.local.folders import Folders
from hub.spawners.local.following import Follower
from hub.spawners.local.isolation import Isolation
from hub.spawners.local.launch import stop
from hub.spawners.local.records import write_json
from hub.spawners.local.start import Start
from hub.spawners.local.workspaces import Workspaces
from tests.faults.test_full_disk import full_for
from tests.spawners.far_side import MIB, ended, in_state, ready, until
from tests.spawners.local_side import LocalFarSide
from tests.spawners.test_supervisor import a_stranger

HOSTILE = """
import sys
Handler = sys.modules["tests.spawners.stand_in"].Handler
answer = Handler.do_GET
def do_GET(self):
    Handler.do_GET = answer
    self._answer('{"start":' + "[" * 60_000 + "}")
Handler.do_GET = do_GET
"""


def test_a_start_whose_end_cannot_be_recorded_ends_once_it_can(far: LocalFarSide) -> None:
    spec = far.spec(image="/nowhere/python")
    in_the_way = far.folders.start(spec.start_id).path / "lock"
    in_the_way.mkdir(parents=True)
    far.spawner.start(spec)
    until(lambda: far.folders.agent_log.read_text().count("cannot be followed") > 1)
    assert in_state(far, spec.start_id, State.PENDING)
    in_the_way.rmdir()
    exit_ = ended(far, spec.start_id).exit
    assert exit_
    assert exit_.why is Ending.NEVER_STARTED
    assert stop(far.options)


def test_an_order_to_stop_that_cannot_be_written_down_is_carried_out(far: LocalFarSide) -> None:
    spec = far.spec()
    ready(far, spec)
    with full_for(far.agent()):
        far.spawner.stop(spec.start_id)
        exit_ = ended(far, spec.start_id).exit
    assert exit_
    assert exit_.why is Ending.STOPPED


def test_an_answer_that_no_parser_takes_is_that_of_an_environment_that_is_not_up_yet(far: LocalFarSide) -> None:
    ready(far, far.spec(at_start=HOSTILE))
    assert "cannot be followed" not in far.folders.agent_log.read_text()


def test_what_goes_wrong_beside_a_supervisor_is_raised_while_it_runs(tmp_path: Path) -> None:
    folders = Folders(tmp_path / "data", tmp_path / "runtime")
    folders.prepare()
    spec = StartSpec(new_id(), new_id(), new_id(), "", 1, MIB, 1, "", ({"kid": "one"},))
    folder = folders.start(spec.start_id)
    folder.path.mkdir()

    def tell(_start: Start) -> None:
        raise OSError(28, "No space left on device")

    async def follow(pid: int) -> None:
        named = {"pid": pid, "start_time": processes.start_time(pid), "boot_id": processes.boot_id()}
        write_json(folder.supervisor, named, name="a record")
        follower = Follower({}, Workspaces(folders), Isolation("none"), tell)
        with pytest.raises(ExceptionGroup):
            await asyncio.wait_for(follower.follow(Start(spec, folder, str(tmp_path / "socket"))), 30)

    with a_stranger() as stranger:
        asyncio.run(follow(stranger.pid))

"""Where RUNTIME_GROUP says so, a proxy of another account reaches environments, however far they are kept apart."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.isolation.machines import MACHINES
from tests.spawners.far_side import ready
from tests.spawners.local_side import LocalFarSide

IS_ROOT = os.geteuid() == 0
GROUP = 54321 if IS_ROOT else next((group for group in os.getgroups() if group != os.getegid()), os.getegid())
"""An ordinary user gives what is his to groups that he is in; who is in no other gives it to his own, which shows less."""
WHOSE = "own-group" if os.getegid() == GROUP else "another-group"
NOBODY = 65534
CONNECT = "import socket, sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1])"


@pytest.fixture(
    params=[(machine, how) for machine in MACHINES if machine.may_hand_on or not IS_ROOT for how in ("any", "none")],
    ids=lambda one: f"{one[0].name}-{one[1]}-{WHOSE}",
)
def far(request: pytest.FixtureRequest) -> Iterator[LocalFarSide]:
    machine, isolation = request.param
    with machine.folder() as (folder, options):
        one = LocalFarSide(folder / "data", lesser=machine.lesser, isolation=isolation, group=GROUP, **options)
        yield one
        one.close()


@pytest.mark.case("A4-7")
def test_its_socket_and_the_way_there_are_the_group_s_and_closed_to_all_others_by_their_modes(far: LocalFarSide) -> None:
    path = socket_of_a_new_one(far)
    for one, mode in ((path, 0o660), (path.parent, 0o710), (path.parent.parent, 0o710)):
        assert (one.stat().st_gid, one.stat().st_mode & 0o777) == (GROUP, mode)


if IS_ROOT:  # which alone can try as somebody else

    def test_who_is_in_the_group_connects_to_its_socket_and_who_is_not_does_not(far: LocalFarSide) -> None:
        path = socket_of_a_new_one(far)
        assert (connects(path, [GROUP]), connects(path, [])) == (True, False)


def socket_of_a_new_one(far: LocalFarSide) -> Path:
    spec = far.spec()
    ready(far, spec)
    return far.folders.socket(spec.start_id)


def connects(path: Path, groups: list[int]) -> bool:
    """Whether nobody, in those groups, can."""
    python = "/usr/bin/python3" if Path("/usr/bin/python3").exists() else sys.executable
    command = [python, "-c", CONNECT, str(path)]
    return (
        subprocess.run(
            command, user=NOBODY, group=NOBODY, extra_groups=groups, cwd="/", capture_output=True, check=False
        ).returncode
        == 0
    )

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
"""An ordinary user gives what is his to groups that he is in."""
NOBODY = 65534
CONNECT = "import socket, sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1])"


@pytest.fixture(
    params=[(machine, how) for machine in MACHINES for how in ("any", "none")], ids=lambda one: f"{one[0].name}-{one[1]}"
)
def far(request: pytest.FixtureRequest) -> Iterator[LocalFarSide]:
    machine, isolation = request.param
    with machine.folder() as (folder, options):
        one = LocalFarSide(folder / "data", lesser=machine.lesser, isolation=isolation, group=GROUP, **options)
        yield one
        one.close()


@pytest.mark.case("A4-7")
def test_its_socket_is_open_to_the_group_and_to_nobody_else(far: LocalFarSide) -> None:
    spec = far.spec()
    ready(far, spec)
    path = far.folders.socket(spec.start_id)
    for one, mode in ((path, 0o660), (path.parent, 0o710), (path.parent.parent, 0o710)):
        assert (one.stat().st_gid, one.stat().st_mode & 0o777) == (GROUP, mode)
    assert not IS_ROOT or (connects(path, [GROUP]), connects(path, [])) == (True, False)


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

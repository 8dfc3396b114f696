"""Folders that an operator shows to all environments (`READABLE_FOLDERS`): they are read, and nothing of them is changed."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from hub.errors import CannotStart
from hub.spawners.base import StartSpec
from hub.spawners.local.folders import folders_at
from hub.spawners.local.readable import check_readable
from tests.isolation.machines import MACHINES, Machine
from tests.spawners.far_side import ready
from tests.spawners.local_side import LocalFarSide


class Shown(NamedTuple):
    far: LocalFarSide
    spec: StartSpec
    folder: Path
    machine: Machine

    def tried(self, code: str) -> str:
        return self.far.run(
            self.spec.start_id, f"import os\ntry:\n    {code}\nexcept OSError as error:\n    result = error.strerror"
        )


@pytest.fixture(scope="module", params=MACHINES, ids=lambda machine: machine.name)
def shown(request: pytest.FixtureRequest) -> Iterator[Shown]:
    machine: Machine = request.param
    with machine.folder() as (folder, options):
        measurements = folder / "measurements"
        measurements.mkdir(mode=0o755)
        (measurements / "measured.csv").write_text("1,2,3")
        (measurements / "measured.csv").chmod(0o644)
        far = LocalFarSide(folder / "data", lesser=machine.lesser, readable=(measurements,), **options)
        try:
            spec = far.spec()
            ready(far, spec)
            yield Shown(far, spec, measurements, machine)
        finally:
            far.close()


def test_what_is_shown_is_read(shown: Shown) -> None:
    assert shown.tried(f"result = open('{shown.folder}/measured.csv').read()") == "1,2,3"


def test_what_is_shown_is_not_written(shown: Shown) -> None:
    assert shown.tried(f"result = open('{shown.folder}/measured.csv', 'a').close()") != "None"
    assert shown.tried(f"result = open('{shown.folder}/new.csv', 'w').close()") != "None"


def test_what_is_shown_keeps_its_permissions_wherever_names_are_hidden_or_the_account_is_another(shown: Shown) -> None:
    changed = shown.tried(f"result = os.chmod('{shown.folder}/measured.csv', 0o644)") == "None"
    assert changed == (os.geteuid() != 0 and not shown.machine.hides_paths)


@pytest.mark.case("A9-9")
@pytest.mark.parametrize("shown", ["", "data", "data/workspaces", "link/data", "run"])
def test_where_podium_s_own_files_lie_is_not_shown(tmp_path: Path, shown: str) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    with pytest.raises(CannotStart, match="Name folders apart from that"):
        check_readable((tmp_path / shown,), (tmp_path / "data", tmp_path / "run"))
    check_readable((tmp_path / "data-of-others",), (tmp_path / "data", tmp_path / "run"))


def test_a_folder_is_shown_by_its_whole_path() -> None:
    with pytest.raises(CannotStart, match="begin with a slash"):
        check_readable((Path("measurements"),), ())


def test_an_agent_that_would_show_podium_s_own_files_does_not_start(tmp_path: Path) -> None:
    with pytest.raises(CannotStart, match="does not start"):
        LocalFarSide(tmp_path / "data", readable=(tmp_path,))
    assert "READABLE_FOLDERS shows" in folders_at(tmp_path / "data").agent_log.read_text()

"""A profile may bring an interpreter of its own; each has a warm parent of its own."""

import os
import signal
import sys
import venv
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.spawners.far_side import clear, ready, until
from tests.spawners.local_side import LocalFarSide


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """A second interpreter, with nothing of the first one's packages."""
    venv.create(tmp_path / "other", with_pip=False, symlinks=True)
    return tmp_path / "other" / "bin" / "python"


@pytest.fixture
def far(tmp_path: Path, other: Path) -> Iterator[LocalFarSide]:
    far = LocalFarSide(tmp_path / "data", interpreters=(Path(sys.executable), other))
    yield far
    clear(far)
    far.close()


def test_an_environment_runs_in_the_interpreter_of_its_profile(far: LocalFarSide, other: Path) -> None:
    first, second = far.spec(), far.spec(image=str(other))
    ready(far, first)
    ready(far, second)
    assert far.run(first.start_id, "import sys; result = sys.prefix") == sys.prefix
    assert far.run(second.start_id, "import sys; result = sys.prefix") == str(other.parents[1])
    assert len({parent["pid"] for parent in far.spawner.about()["warm_parents"]}) == 2


def test_when_one_warm_parent_dies_the_other_one_goes_on(far: LocalFarSide, other: Path) -> None:
    spec = far.spec(image=str(other))
    ready(far, spec)
    mine, others = (parent["pid"] for parent in far.spawner.about()["warm_parents"])
    os.kill(mine, signal.SIGKILL)
    until(lambda: {parent["pid"] for parent in far.spawner.about()["warm_parents"]} - {mine, others, None})
    assert others in {parent["pid"] for parent in far.spawner.about()["warm_parents"]}
    assert far.run(spec.start_id, "result = 'still here'") == "still here"
    ready(far, far.spec())

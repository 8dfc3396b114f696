"""What researchers do in an environment works in one that is kept apart, with the libraries that environments have."""

import inspect
import os
from collections.abc import Callable, Iterator

import pytest

from hub.spawners.base import StartSpec
from hub.spawners.local.options import CODE
from tests.isolation.machines import MACHINES, Machine
from tests.isolation.work import EXPECTED, NEEDS_UNIX_SOCKETS
from tests.spawners.far_side import MIB, ready
from tests.spawners.local_side import LocalFarSide

READS = [machine for machine in MACHINES if machine.hides_paths or os.geteuid() != 0]
"""Where an account of its own reads the libraries of a checkout that others may not enter."""


@pytest.fixture(scope="module", params=READS, ids=lambda machine: machine.name)
def environment(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[LocalFarSide, StartSpec, Machine]]:
    python = CODE / ".venv" / "bin" / "python"
    far = LocalFarSide(tmp_path_factory.mktemp("work"), interpreters=(python,), lesser=request.param.lesser)
    try:
        spec = far.spec(image=str(python), memory=2048 * MIB)
        ready(far, spec)
        yield far, spec, request.param
    finally:
        far.close()


@pytest.mark.parametrize("work", EXPECTED, ids=lambda work: work.__name__)
def test_what_researchers_do_works(environment: tuple[LocalFarSide, StartSpec, Machine], work: Callable[[], str]) -> None:
    far, spec, machine = environment
    assert "confinement" in far.folders.start(spec.start_id).spec.read_text()
    tried = f"try:\n    result = {work.__name__}()\nexcept Exception as error:\n    result = repr(error)"
    done = far.run(spec.start_id, f"{inspect.getsource(work)}\n{tried}")
    assert (done == EXPECTED[work]) == (machine.unix_sockets or work not in NEEDS_UNIX_SOCKETS)

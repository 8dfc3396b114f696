"""What researchers do in an environment works in one that is kept apart, with the libraries that environments have."""

import inspect
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hub.spawners.base import StartSpec
from hub.spawners.local.options import CODE
from tests.isolation.machines import MACHINES, Machine
from tests.isolation.work import (
    EXPECTED,
    NEEDS_UNIX_SOCKETS,
    WITH_LIBRARIES,
    a_jupyter_kernel,
    a_jupyter_kernel_over_unix_sockets,
)
from tests.spawners.far_side import MIB, ready
from tests.spawners.local_side import LocalFarSide

READS = [machine for machine in MACHINES if machine.hides_paths or os.geteuid() != 0]
"""Where an account of its own reads the libraries of a checkout that others may not enter."""


Environment = tuple[LocalFarSide, StartSpec, Machine]


@pytest.fixture(scope="module", params=READS, ids=lambda machine: machine.name)
def environment(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Environment]:
    with running(tmp_path_factory.mktemp("work"), CODE / ".venv" / "bin" / "python", request.param) as one:
        yield one


@pytest.fixture(scope="module", params=READS, ids=lambda machine: machine.name)
def with_libraries(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Environment]:
    with running(tmp_path_factory.mktemp("libraries"), Path(sys.executable), request.param) as one:
        yield one


@contextmanager
def running(folder: Path, python: Path, machine: Machine) -> Iterator[Environment]:
    far = LocalFarSide(folder, interpreters=(python,), lesser=machine.lesser)
    try:
        spec = far.spec(image=str(python), memory=2048 * MIB)
        ready(far, spec)
        yield far, spec, machine
    finally:
        far.close()


@pytest.mark.parametrize("work", EXPECTED, ids=lambda work: work.__name__)
def test_what_researchers_do_works(environment: Environment, work: Callable[[], str]) -> None:
    far, spec, _ = environment
    assert "confinement" in far.folders.start(spec.start_id).spec.read_text()
    assert works(environment, work, EXPECTED[work])


@pytest.mark.parametrize("work", WITH_LIBRARIES, ids=lambda work: work.__name__)
def test_what_researchers_install_works(with_libraries: Environment, work: Callable[[], str]) -> None:
    assert works(with_libraries, work, WITH_LIBRARIES[work])


def works(environment: Environment, work: Callable[[], str], expected: str) -> bool:
    """Whether it does, or does not where the machine takes away what it needs."""
    far, spec, machine = environment
    tried = f"try:\n    result = {work.__name__}()\nexcept Exception as error:\n    result = repr(error)"
    done = far.run(spec.start_id, f"{sources(work)}\n{tried}")
    return (done == expected) == (machine.unix_sockets or work not in NEEDS_UNIX_SOCKETS)


def sources(work: Callable[[], str]) -> str:
    """Its own, and of what it calls."""
    parts = (a_jupyter_kernel, work) if work is a_jupyter_kernel_over_unix_sockets else (work,)
    return "\n".join(inspect.getsource(part) for part in parts)

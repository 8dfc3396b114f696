"""What researchers do in an environment works in one that is kept apart, with the libraries that environments have."""

import inspect
from collections.abc import Callable, Iterator

import pytest

from hub.spawners.base import StartSpec
from hub.spawners.local.options import CODE
from tests.isolation.work import EXPECTED
from tests.spawners.far_side import MIB, ready
from tests.spawners.local_side import LocalFarSide


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LocalFarSide, StartSpec]]:
    python = CODE / ".venv" / "bin" / "python"
    far = LocalFarSide(tmp_path_factory.mktemp("work"), interpreters=(python,))
    try:
        spec = far.spec(image=str(python), memory=2048 * MIB)
        ready(far, spec)
        yield far, spec
    finally:
        far.close()


@pytest.mark.parametrize("work", EXPECTED, ids=lambda work: work.__name__)
def test_what_researchers_do_works(environment: tuple[LocalFarSide, StartSpec], work: Callable[[], str]) -> None:
    far, spec = environment
    assert "confinement" in far.folders.start(spec.start_id).spec.read_text()
    assert far.run(spec.start_id, f"{inspect.getsource(work)}\nresult = {work.__name__}()") == EXPECTED[work]

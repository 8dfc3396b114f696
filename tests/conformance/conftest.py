"""The far sides that the conformance suite runs on: one parameter for each spawner."""

from collections.abc import Iterator

import pytest

from tests.spawners.far_side import LocalFarSide


@pytest.fixture(scope="module", params=["local"])
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalFarSide]:
    """One agent for the whole suite, started by a hub that has secrets in its variables; a test leaves it empty."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SECRET_KEY", "the hub's own")
        far = LocalFarSide(tmp_path_factory.mktemp("conformance"))
        yield far
        far.close()


@pytest.fixture
def far(running: LocalFarSide) -> Iterator[LocalFarSide]:
    yield running
    running.clear()

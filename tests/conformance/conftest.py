"""The far sides that the conformance suite runs on: one parameter for each spawner.

Kubernetes is one of them where TEST_STAND_IN_IMAGE names the image that its pods run (`make test-cluster`).
"""

import os
from collections.abc import Iterator

import pytest

from tests.spawners.far_side import FarSide, clear
from tests.spawners.kubernetes_side import STAND_IN, KubernetesFarSide
from tests.spawners.local_side import LocalFarSide

_KINDS = ["kubernetes"] if STAND_IN in os.environ else ["local"]


@pytest.fixture(scope="module", params=_KINDS)
def running(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LocalFarSide | KubernetesFarSide]:
    """One far side for a whole file, asked by a hub that has secrets in its variables; a test leaves it empty."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SECRET_KEY", "the hub's own")
        far = KubernetesFarSide() if request.param == "kubernetes" else LocalFarSide(tmp_path_factory.mktemp("conformance"))
        yield far
        far.close()


@pytest.fixture
def far(running: FarSide) -> Iterator[FarSide]:
    yield running
    clear(running)

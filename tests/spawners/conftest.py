"""An agent for each test that harms it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.spawners.local_side import LocalFarSide


@pytest.fixture
def far(tmp_path: Path) -> Iterator[LocalFarSide]:
    far = LocalFarSide(tmp_path / "data")
    yield far
    far.close()

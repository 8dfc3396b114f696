"""A Podium by Docker Compose that the tests of one file share."""

from collections.abc import Iterator

import pytest

from tests.browser.conftest import Place
from tests.compose.installed import Installed, installed


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    with installed(tmp_path_factory.mktemp("compose")) as one:
        yield one


@pytest.fixture
def place(machine: Installed) -> Place:
    """Where the main story takes place."""
    return Place(machine.url, machine.link)

"""A Podium installed in the cluster."""

from collections.abc import Iterator

import pytest

from tests.browser.conftest import Place
from tests.cluster.installed import Release, installed


@pytest.fixture(scope="module")
def release() -> Iterator[Release]:
    with installed() as one:
        yield one


@pytest.fixture
def place(release: Release) -> Place:
    """Where the main story takes place."""
    return Place(release.url, release.link)

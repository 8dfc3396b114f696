"""The Podium that the browser tests drive: one of their own, or the one that PODIUM_TEST_URL names."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.podium import Podium, installed

pytest_plugins = ("tests.support.chromium",)


class Place(NamedTuple):
    """`link` is the first administrator's one-time link."""

    url: str
    link: str


@pytest.fixture
def podium(tmp_path: Path) -> Iterator[Podium]:
    """A Podium with an empty data folder, in which several environments of a person may run."""
    with installed(tmp_path, {"PODIUM_MAX_USER_PODS": "4"}) as running:
        yield running


@pytest.fixture
def place(request: pytest.FixtureRequest) -> Place:
    """Where the main story takes place."""
    if "PODIUM_TEST_URL" in os.environ:
        return Place(os.environ["PODIUM_TEST_URL"], os.environ["PODIUM_TEST_LINK"])
    running: Podium = request.getfixturevalue("podium")
    return Place(running.url, running.link or "")

"""The Podium that the browser tests drive: one of their own, or the one that TEST_PODIUM_URL names."""

import itertools
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from playwright.sync_api import Browser

from tests.browser.people import PASSWORD, Person, person
from tests.support.podium import Podium, installed

ROOM = {"PODIUM_MAX_USER_PODS": "4"}
_numbers = itertools.count(1)


class Place(NamedTuple):
    """`link` is the first administrator's one-time link."""

    url: str
    link: str


@pytest.fixture
def podium(tmp_path: Path) -> Iterator[Podium]:
    """A Podium with an empty data folder, in which several environments of a person may run."""
    with installed(tmp_path, ROOM) as running:
        yield running


@pytest.fixture
def place(request: pytest.FixtureRequest) -> Place:
    """Where the main story takes place."""
    if "TEST_PODIUM_URL" in os.environ:
        return Place(os.environ["TEST_PODIUM_URL"], os.environ["TEST_PODIUM_LINK"])
    running: Podium = request.getfixturevalue("podium")
    return Place(running.url, running.link or "")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Podium]:
    """A Podium that the tests of one file share."""
    with installed(tmp_path_factory.mktemp("house"), ROOM) as running:
        yield running


@pytest.fixture(scope="module")
def ada(house: Podium, browsers: Browser) -> Iterator[Person]:
    """The first administrator, at the Environments page."""
    with person(browsers, house.url) as somebody:
        somebody.sign_up(house.link or "", "ada", "Ada Lovelace")
        yield somebody


@pytest.fixture
def bob(house: Podium, browsers: Browser) -> Iterator[Person]:
    """Somebody else, whom only this test knows."""
    name = f"bob-{next(_numbers)}"
    with person(browsers, house.url) as somebody:
        somebody.is_logged_in(name, *house.log_in(name, PASSWORD, "Bob"))
        yield somebody


@pytest.fixture
def tell(capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Says what was measured, in the output of a run that passes too."""

    def say(words: str) -> None:
        with capsys.disabled():
            sys.stdout.write(f"\n{words}\n")

    return say

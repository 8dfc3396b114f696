"""Fixtures of the fault tests: a forge of hubs for each test process, a Podium for each test, and the table of crossings."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.forge import Forge, forge
from tests.faults.installation import Installation, installed

CROSSINGS = "crossings"


@pytest.fixture(scope="session")
def hubs() -> Iterator[Forge]:
    with forge() as made:
        yield made


@pytest.fixture
def podium(hubs: Forge, tmp_path: Path) -> Iterator[Installation]:
    with installed(hubs, tmp_path) as installation:
        yield installation


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """How many crossings each story has and how many kills it took, gathered from all test processes."""
    lines = [
        str(value)
        for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed")
        for name, value in report.user_properties
        if name == CROSSINGS and report.when == "call"
    ]
    if lines:
        terminalreporter.section("crossings of the seam")
        terminalreporter.write_line("\n".join(sorted(lines)))

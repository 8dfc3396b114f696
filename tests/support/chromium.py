"""Debian's Chromium for browser tests. Without one the test is skipped, in CI it fails."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.support.ci import absent

PROGRAM = Path("/usr/bin/chromium")
_ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--no-first-run", "--disable-dev-shm-usage",
)  # fmt: skip


@contextmanager
def launched() -> Iterator[Browser]:
    """A browser that talks to this machine only."""
    if not PROGRAM.exists():
        absent("Chromium is not installed; on Debian: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=PROGRAM, args=list(_ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture
def browser() -> Iterator[Browser]:
    with launched() as one:
        yield one


@pytest.fixture(scope="module")
def browsers() -> Iterator[Browser]:
    """One for all tests of a file; each person has a separate profile in it."""
    with launched() as one:
        yield one

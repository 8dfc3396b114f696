"""Debian's Chromium for browser tests. Without one the test is skipped, in CI it fails.

Its headless shell is the same engine without a browser's own windows, whose pages cost ten times what a test's page costs;
TEST_CHROMIUM names another program.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.support.ci import absent

_PROGRAMS = ("/usr/bin/chromium-headless-shell", "/usr/bin/chromium")
_ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--no-first-run", "--disable-dev-shm-usage",
)  # fmt: skip


@contextmanager
def launched() -> Iterator[Browser]:
    """A browser that talks to this machine only."""
    program = next((one for one in (os.environ.get("TEST_CHROMIUM", ""), *_PROGRAMS) if one and Path(one).exists()), None)
    if program is None:
        absent("Chromium is not installed; on Debian: apt-get install chromium-headless-shell")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(_ARGUMENTS))
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

"""Environments that tests share, because each takes seconds to start. Tests use sessions of their own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.environment.running import APP, PLAIN_SCRIPT, Environment, environment


@pytest.fixture(scope="session")
def plain_script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A script that shows what it is told about the person."""
    script = tmp_path_factory.mktemp("script") / "plain.py"
    script.write_text(PLAIN_SCRIPT)
    return script


@pytest.fixture(scope="session")
def plain(tmp_path_factory: pytest.TempPathFactory, plain_script: Path) -> Iterator[Environment]:
    with environment(tmp_path_factory.mktemp("plain"), plain_script) as running:
        yield running


@pytest.fixture(scope="session")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Environment]:
    """The shipped research app. Tests put files into the workspace under names of their own."""
    with environment(tmp_path_factory.mktemp("app"), APP) as running:
        yield running

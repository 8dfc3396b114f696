"""`python -m hub agent`, the only program of a service of its own: when it ends, and when it starts its agent again."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from hub.errors import ClusterSilent
from hub.settings import ROOT
from hub.spawners.local.agent import REFUSED
from hub.spawners.local.client import LocalSpawner
from hub.spawners.local.folders import Folders, folders_at
from tests.spawners.far_side import until
from tests.spawners.local_side import lives

BAD_PORTS = {"PODIUM_ENVIRONMENT_PORTS": "30000-20000"}


@dataclass
class Service:
    folders: Folders
    output: Path
    process: subprocess.Popen[bytes]

    def agent(self) -> int | None:
        """The agent that answers."""
        try:
            return int(LocalSpawner(self.folders.agent_socket, self.folders.agent_secret.read_text()).about()["pid"])
        except (ClusterSilent, FileNotFoundError):
            return None

    def said(self, words: str) -> int:
        """How often."""
        return self.output.read_text().count(words)


@contextmanager
def serving(folder: Path, variables: Mapping[str, str] | None = None) -> Iterator[Service]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PODIUM_")}
    set_here = {"PYTHONPATH": str(ROOT), "PODIUM_DATA_DIR": str(folder / "data"), "PODIUM_ISOLATION": "none"}
    folders, output = folders_at(folder / "data"), folder / "output"
    with output.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "hub", "agent"],
            cwd=folder, env={**kept, **set_here, **(variables or {})}, stdout=file, stderr=file,
        )  # fmt: skip
    try:
        yield Service(folders, output, process)
    finally:
        process.terminate()
        process.wait(20)


def test_a_setting_that_it_refuses_ends_the_service_with_a_sentence_and_the_code_for_settings(tmp_path: Path) -> None:
    with serving(tmp_path, BAD_PORTS) as service:
        assert service.process.wait(30) == REFUSED == os.EX_CONFIG
        assert service.said("ENVIRONMENT_PORTS") == 1
        assert service.said("Traceback") == 0


def test_a_second_one_for_the_same_folder_says_so_and_ends(tmp_path: Path) -> None:
    with serving(tmp_path) as first:
        agent = until(first.agent)
        (tmp_path / "second").mkdir()
        with serving(tmp_path / "second", {"PODIUM_DATA_DIR": str(tmp_path / "data")}) as second:
            assert second.process.wait(30) == REFUSED
            assert second.said(f"Another agent runs for {tmp_path / 'data'}. End that one") == 1
        assert first.agent() == agent


@pytest.fixture
def hindrance(tmp_path: Path) -> Iterator[Path]:
    """A folder where the agent's socket is to be: each agent ends with a fault."""
    socket = folders_at(tmp_path / "data").agent_socket
    socket.mkdir(parents=True)
    socket.parent.chmod(0o700)
    yield socket
    shutil.rmtree(socket.parent, ignore_errors=True)


def test_told_to_end_between_two_agents_it_ends(tmp_path: Path, hindrance: Path) -> None:
    with serving(tmp_path) as service:
        until(lambda: service.said("IsADirectoryError") and not psutil.Process(service.process.pid).children())
        service.process.terminate()
        assert service.process.wait(20) == 0
        assert hindrance.is_dir()


def test_a_fault_of_the_moment_does_not_end_it_and_once_it_is_gone_the_agent_answers(tmp_path: Path, hindrance: Path) -> None:
    with serving(tmp_path) as service:
        until(lambda: service.said("IsADirectoryError") >= 2)
        assert service.process.poll() is None
        hindrance.rmdir()
        assert until(service.agent)


@pytest.mark.case("R25")
def test_an_agent_that_is_killed_is_started_again_and_told_to_end_both_end(tmp_path: Path) -> None:
    with serving(tmp_path) as service:
        first = until(service.agent)
        os.kill(first, signal.SIGKILL)
        second = until(service.agent)
        assert second != first
        service.process.terminate()
        assert service.process.wait(20) == 0
        assert not lives(second)

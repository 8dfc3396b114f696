"""No byte more can be written: one clear sentence, nothing lost, and all is well when there is room again.

A limit on the size of files stands for the full disk. It holds for one process, needs no rights, and can be lifted again.
"""

import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hub.environments.model import Phase
from hub.settings import ROOT
from tests.faults.case import Case
from tests.faults.hubs import Declined
from tests.faults.installation import Installation
from tests.faults.machine import Kind


@contextmanager
def full_for(pid: int) -> Iterator[None]:
    _, most = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, most))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (most, most))


def test_up_ends_with_one_sentence_where_the_disk_of_the_data_folder_is_full(tmp_path: Path) -> None:
    variables = {"PYTHONPATH": str(ROOT), "PODIUM_DATA_DIR": str(tmp_path / "data"), "PODIUM_PORT": "0"}
    ended = subprocess.run(
        ["/bin/sh", "-c", 'ulimit -f 0; exec "$@"', "sh", sys.executable, "-m", "hub", "up"],
        cwd=tmp_path, env={**os.environ, **variables}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert ended.returncode == 1
    assert ended.stdout == ""
    (line,) = ended.stderr.splitlines()
    assert line.startswith(f"The data folder {tmp_path / 'data'} cannot be written")
    assert "name another one in DATA_DIR" in line


@pytest.mark.case("R11")
def test_a_launch_is_refused_in_words_while_the_database_cannot_grow_and_works_afterwards(podium: Installation) -> None:
    case = Case(podium)
    podium.until(lambda: "Data lies in" in podium.log, "the hub has written all that it writes at a start")
    with full_for(podium.hub.pid), pytest.raises(Declined, match="Nothing is lost; try again"):
        podium.command("launch", case.user, "analysis")
    case.launch()
    case.run()
    case.settle()


def test_a_start_waits_while_the_agent_cannot_write_and_goes_on_afterwards(podium: Installation) -> None:
    case = Case(podium)
    with full_for(podium.pid_of(Kind.AGENT)):
        case.launch()
        case.until(Phase.STARTING)
        podium.until(lambda: "the cluster local is silent" in podium.log, "the hub has asked")
    case.run()
    case.settle()

"""The try that says how far environments are kept apart: cut short or not, nothing of it stays."""

import contextlib
import os
import signal
from pathlib import Path
from typing import Any

import psutil
import pytest

from hub.spawners.local.processes import start_time
from hub.spawners.local.records import read_json
from tests.spawners.far_side import until
from tests.spawners.local_side import LocalFarSide, lives


def _found(far: LocalFarSide) -> str:
    """The sentence, once it is known."""
    return until(lambda: said if "being tried" not in (said := far.spawner.isolation()) else "")


def _left(far: LocalFarSide) -> list[Path]:
    """Folders of the try, and whatever lies beside the agent's own socket."""
    return [
        path for path in (far.folders.data / "probe", *far.folders.runtime.iterdir()) if path.exists() and path.name != "agent"
    ]


@pytest.mark.case("A9-9")
def test_an_agent_that_is_killed_in_the_middle_of_it_is_followed_by_one_that_finds_out(far: LocalFarSide) -> None:
    named = until(lambda: _halted(far))
    os.kill(far.agent(), signal.SIGKILL)
    assert far.agent()
    assert _found(far).startswith("Environments are ")
    assert "cannot be tried" not in far.folders.agent_log.read_text()
    assert not lives(named["pid"])
    assert not lives(named["server"])
    assert _left(far) == []


def _halted(far: LocalFarSide) -> dict[str, Any] | None:
    """The supervisor of a try under way, which goes no further; where it is over already, the next agent begins another one."""
    named: dict[str, Any] | None = next(map(read_json, far.folders.data.glob("probe/starts/*/supervisor.json")), None)
    if named and start_time(named["pid"]) == named["start_time"]:
        with contextlib.suppress(ProcessLookupError, psutil.NoSuchProcess):
            os.kill(named["pid"], signal.SIGSTOP)
            return named if psutil.Process(named["pid"]).status() == psutil.STATUS_STOPPED else None
    if not (far.folders.data / "probe").exists() and _found(far):
        os.kill(far.agent(), signal.SIGKILL)
        assert far.agent()
    return None


def test_where_it_comes_to_its_end_nothing_of_it_stays_either(far: LocalFarSide) -> None:
    assert _found(far)
    assert _left(far) == []

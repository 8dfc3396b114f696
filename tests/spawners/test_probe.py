"""The try that says how far environments are kept apart: cut short or not, nothing of it stays."""

import asyncio
import contextlib
import os
import shutil
import signal
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from hub.settings import ROOT
from hub.spawners.isolation import Found
from hub.spawners.local.folders import Folders, folders_at
from hub.spawners.local.isolation import Isolation
from hub.spawners.local.limits import limits_in_force
from hub.spawners.local.options import CODE, Options
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


@pytest.fixture
def options(tmp_path: Path) -> Iterator[Options]:
    folders = folders_at(tmp_path / "data")
    folders.prepare()
    yield Options(folders.data, folders.runtime, (Path(sys.executable),), code=(CODE, ROOT), script=Path(__file__))
    folders.runtime.rmdir()


async def _asked(isolation: Isolation, options: Options) -> Found | None:
    isolation.find_out(options, Folders(options.data, options.runtime), limits_in_force(), None)
    return await isolation.found()


@pytest.mark.parametrize("pause", [0, 3600])
def test_where_nothing_was_found_out_the_next_question_begins_one_more_try_after_a_pause(
    options: Options, pause: float
) -> None:
    in_the_way = options.data / "probe"
    in_the_way.touch()

    async def ask() -> None:
        isolation = Isolation("any", pause=pause)
        assert await _asked(isolation, options) is None
        in_the_way.unlink()
        one, other = await asyncio.gather(isolation.found(), isolation.found())
        assert (one is not None) == (pause == 0)
        assert one is other
        assert await isolation.found() is one

    asyncio.run(ask())


@pytest.mark.parametrize("answer", ["{nonsense", '{"abi": 7}', '{"abi": 7, "holes": 5}'])
def test_an_answer_that_cannot_be_read_has_found_nothing_out(options: Options, tmp_path: Path, answer: str) -> None:
    code = tmp_path / "code"
    shutil.copytree(CODE / "environment", code / "environment")
    (code / "environment" / "confining" / "probe.py").write_text(f"def serve(_spec):\n    print({answer!r}, flush=True)\n")
    assert asyncio.run(_asked(Isolation("any"), replace(options, code=(code, ROOT)))) is None
    assert not (options.data / "probe").exists()

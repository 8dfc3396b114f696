"""Every commit, process start, signal and write to a workspace crosses the seam, so that the crash tests see it."""

import pytest

from hub.settings import ROOT
from tests.house.crossings import outside

HUB = ROOT / "hub"
SPAWNERS = HUB / "spawners"
"""Only here are workspaces within reach: hub and pages never open their paths."""


def test_the_hubs_source_has_no_side_effect_outside_the_seam() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{effect.line} {effect.what}"
        for path in sorted(HUB.rglob("*.py"))
        for effect in outside(path.read_text(encoding="utf-8"), writes=path.is_relative_to(SPAWNERS))
    ]
    assert not found, "wrap these in `with crossing(…)`:\n" + "\n".join(found)


@pytest.mark.parametrize(
    "effect",
    [
        "session.commit()",
        "engine.begin()",
        "subprocess.Popen(['x'])",
        "os.fork()",
        "os.execv('x', [])",
        "os.posix_spawn('x', [], {})",
        "os.kill(1, 9)",
        "signal.pidfd_send_signal(3, 9)",
        "process.terminate()",
        "from os import kill as end; end(1, 9)",
        "import subprocess as s; s.run(['x'])",
        "shutil.rmtree(path)",
        "path.write_text('x')",
        "path.open('w')",
        "open(path, mode='ab')",
    ],
)
def test_an_effect_is_found_outside_a_crossing_and_not_inside(effect: str) -> None:
    *imports, call = effect.split("; ")
    prefix = "\n".join(imports)
    assert list(outside(f"{prefix}\ndef f():\n    {call}\n", writes=True))
    assert not list(outside(f"{prefix}\ndef f():\n    with crossing('x'):\n        {call}\n", writes=True))


def test_a_function_defined_inside_a_crossing_runs_outside_of_it() -> None:
    assert list(outside("with crossing('x'):\n    def f():\n        os.fork()\n", writes=True))


@pytest.mark.parametrize("harmless", ["path.open()", "open(path)", "open(path, 'rb')", "queue.put(1)", "os.getpid()"])
def test_reading_is_no_effect(harmless: str) -> None:
    assert not list(outside(harmless, writes=True))

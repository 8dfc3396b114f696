"""What Podium says of how far environments are kept apart: what was found out, and never more."""

import socket
import sys
from pathlib import Path

import pytest

from hub.spawners.base import Ending
from hub.spawners.isolation import Found, lacks, local_isolation
from hub.spawners.local.client import LocalSpawner
from tests.spawners.far_side import ended, ready
from tests.spawners.local_side import LocalFarSide

SAID = [
    ("any", None, "could not be tried; agent.log", "only people who trust each other"),
    ("any", Found(0, ("files", "processes", "signals", "sockets", "loopback"), False), "not kept apart", "has no Landlock"),
    ("any", Found(4, ("signals", "loopback"), False), "kept apart by Landlock (version 4) but for signals", "trust each other"),
    (
        "any",
        Found(7, ("loopback",), True),
        "kept apart by Landlock (version 7): none reaches files",
        "Ports of this machine stay open",
    ),
    ("any", Found(7, ("loopback",), False), "none reaches files", "Unix sockets of their own are refused to them"),
    (
        "any",
        Found(7, ("permissions", "loopback"), False),
        "(version 7) but for permissions of this account's files: ",
        "trust each",
    ),
    ("any", Found(7, ("processes", "loopback"), True, True), "but for what can be known of other processes", "GPUs need"),
    ("none", Found(7, ("files",), True), "not kept apart", "ISOLATION=none"),
]


@pytest.mark.parametrize(("wanted", "found", "first", "then"), SAID)
def test_the_sentence_claims_what_was_found_and_names_the_holes(
    wanted: str, found: Found | None, first: str, then: str
) -> None:
    said = local_isolation(wanted, found)
    assert first in said
    assert then in said


@pytest.mark.parametrize("found", [found for _, found, *_ in SAID])
def test_what_is_demanded_is_lacking_where_there_is_any_hole_but_the_loopback(found: Found | None) -> None:
    assert bool(lacks("landlock", found)) == (found is None or set(found.holes) != {"loopback"})


def test_an_agent_that_does_not_answer_is_told_from_one_that_still_tries(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.spawners.local.client._TRIED_WITHIN", 0.05)
    spawner = LocalSpawner(tmp_path / "agent", "secret")
    assert "is not known: the agent" in spawner.isolation()
    with socket.socket(socket.AF_UNIX) as busy:
        busy.bind(str(tmp_path / "agent"))
        busy.listen()
        assert "still being tried" in spawner.isolation()


def test_where_it_cannot_be_tried_a_demanded_level_starts_nothing_and_says_why(tmp_path: Path) -> None:
    python = Path(sys.executable)
    far = LocalFarSide(tmp_path / "data", isolation="landlock", interpreters=(Path("/bin/false"), python))
    try:
        spec = far.spec(image=str(python))
        far.spawner.start(spec)
        exit_ = ended(far, spec.start_id).exit
        assert exit_
        assert exit_.why is Ending.NEVER_STARTED
        assert "as its operator demands (ISOLATION=landlock)" in exit_.detail
        assert "could not be tried" in far.spawner.isolation()
    finally:
        far.close()


def test_a_demanded_level_that_holds_starts_environments(tmp_path: Path) -> None:
    far = LocalFarSide(tmp_path / "data", isolation="landlock")
    try:
        ready(far, far.spec())
        assert "none reaches files" in far.spawner.isolation()
    finally:
        far.close()

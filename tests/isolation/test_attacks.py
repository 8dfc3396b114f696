"""What code in an environment tries on Podium and its neighbours, from inside a real one. Unconfined, each attempt succeeds."""

import os
import re
import shutil
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from textwrap import indent
from typing import Any

import pytest

from hub.spawners.base import StartSpec
from tests.isolation.attempts import ATTEMPTS, OPEN_TO_AN_ACCOUNT, OPEN_WITHOUT_LANDLOCK
from tests.isolation.machines import MACHINES, Machine
from tests.spawners.far_side import ready, until
from tests.spawners.local_side import LocalFarSide


@dataclass(frozen=True)
class Scene:
    """An environment, a neighbour, and what belongs to neither."""

    far: LocalFarSide
    own: StartSpec
    names: dict[str, str]
    """What the attempts name."""

    def tried(self, code: str) -> str:
        """`done`, or why not."""
        attempt = indent(code.format(**self.names), "    ")
        return self.far.run(
            self.own.start_id,
            f"import ctypes, os, resource, signal, socket, subprocess, sys\nworkspace = str(spec.workspace)\ntry:\n{attempt}\n"
            "    result = 'done'\nexcept OSError as error:\n    result = f'refused: {error}'",
        )


def scene_of(stack: ExitStack, folder: Path, isolation: str, lesser: tuple[str, ...] = (), **options: Any) -> Scene:
    far = LocalFarSide(folder, isolation=isolation, lesser=lesser, **options)
    stack.callback(far.close)
    own, neighbour = far.spec(), far.spec()
    for spec in (own, neighbour):
        ready(far, spec)
    theirs = far.folders.workspace(neighbour.workspace_id)
    (theirs / "notes.txt").write_text("theirs")
    shutil.chown(theirs / "notes.txt", theirs.stat().st_uid, theirs.stat().st_gid)
    mine = far.folders.workspace(own.workspace_id)
    (mine / "link").symlink_to(theirs / "notes.txt")
    (folder / "podium.db").write_text("everybody's")
    (folder / "podium.db").chmod(0o600)
    hidden = stack.enter_context(socket.socket(socket.AF_UNIX))
    hidden.bind(str(far.folders.runtime / "docker.sock"))
    abstract = stack.enter_context(socket.socket(socket.AF_UNIX))
    abstract.bind(f"\0{folder.name}-{os.getpid()}")
    for listener in (hidden, abstract):
        listener.listen()
    supervisor = far.supervisor(neighbour.start_id)
    return Scene(far, own, {
        "data": str(folder), "theirs": str(theirs), "mine": str(mine),
        "their_socket": str(far.folders.socket(neighbour.start_id)),
        "docker": str(far.folders.runtime / "docker.sock"), "abstract": f"{folder.name}-{os.getpid()}",
        "agent": str(far.agent()), "parent": str(far.warm_parent()["pid"]), "supervisor": str(supervisor["pid"]),
        "neighbour": str(supervisor["server"]), "line": line_of(far.warm_parent()["pid"]), "runtime": str(far.folders.runtime),
    })  # fmt: skip


def line_of(parent: int) -> str:
    """The descriptor by which the agent gives it orders."""
    arguments = Path(f"/proc/{parent}/cmdline").read_text().split("\0")
    return next(argument.removeprefix("--control=") for argument in arguments if argument.startswith("--control="))


@pytest.fixture(scope="module", params=MACHINES, ids=lambda machine: machine.name)
def apart(request: pytest.FixtureRequest) -> Iterator[tuple[Scene, Machine]]:
    machine: Machine = request.param
    with ExitStack() as stack:
        folder, options = stack.enter_context(machine.folder())
        yield scene_of(stack, folder / "data", "any", machine.lesser, **options), machine


@pytest.fixture(scope="module")
def together(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with ExitStack() as stack:
        yield scene_of(stack, tmp_path_factory.mktemp("together"), "none")


@pytest.mark.case("A9-9")
@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_nothing_leads_out_of_an_environment(apart: tuple[Scene, Machine], attempt: str) -> None:
    scene, machine = apart
    said = scene.tried(_as_oserror(ATTEMPTS[attempt]))
    assert said.startswith("refused") or attempt in machine_s_holes(machine)


def machine_s_holes(machine: Machine) -> set[str]:
    if machine.hides_paths:
        return set()
    return (set() if machine.landlock else OPEN_WITHOUT_LANDLOCK) | (set() if os.geteuid() == 0 else OPEN_TO_AN_ACCOUNT)


def test_the_sentence_says_what_holds_there(apart: tuple[Scene, Machine]) -> None:
    scene, machine = apart
    said = until(lambda: told if "still being tried" not in (told := scene.far.spawner.isolation()) else "")
    assert re.match(machine.said, said), said


@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_without_confinement_the_same_leads_out(together: Scene, attempt: str) -> None:
    assert together.tried(_as_oserror(ATTEMPTS[attempt])) == "done"


def _as_oserror(code: str) -> str:
    """A program that fails is a refusal, too."""
    return f"try:\n{indent(code, '    ')}\nexcept subprocess.CalledProcessError as error:\n    raise OSError(error.stderr)"

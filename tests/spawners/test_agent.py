"""The agent and the warm parent die and come back; what runs does not notice."""

import os
import signal
import stat
import threading
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from hub.errors import CannotStart, ClusterSilent
from hub.spawners.base import Ending, State
from hub.spawners.local.client import LocalSpawner
from hub.spawners.local.folders import folders_at
from hub.spawners.local.holders import HELD
from hub.spawners.local.launch import ensure, stop
from tests.spawners.far_side import ended, in_state, observed, ready, until
from tests.spawners.local_side import LocalFarSide, lives


@pytest.mark.case("R25")
def test_a_killed_agent_comes_back_with_the_next_call_and_takes_back_what_runs(far: LocalFarSide) -> None:
    spec = far.spec()
    before = ready(far, spec)
    agent = far.agent()
    far.run(spec.start_id, "import os; os.environ['KEPT'] = 'here'")
    os.kill(agent, signal.SIGKILL)
    assert observed(far, spec.start_id) == before
    assert far.agent() != agent
    assert far.run(spec.start_id, "import os; result = os.environ['KEPT']") == "here"
    far.spawner.stop(spec.start_id)
    exit_ = ended(far, spec.start_id).exit
    assert exit_
    assert exit_.why is Ending.STOPPED
    assert far.processes(spec.start_id) == 0


def test_an_environment_that_ends_while_no_agent_runs_is_known_afterwards(far: LocalFarSide) -> None:
    spec = far.spec()
    ready(far, spec)
    os.kill(far.agent(), signal.SIGKILL)
    far.kill(spec.start_id, signal.SIGKILL)
    until(far.folders.start(spec.start_id).exit.exists)
    exit_ = ended(far, spec.start_id).exit
    assert exit_
    assert (exit_.why, exit_.detail) == (Ending.KILLED, "SIGKILL")


@pytest.mark.case("R1")
@pytest.mark.parametrize("pause", [0, 0.005, 0.02, 0.05, 0.1])
def test_an_agent_killed_in_the_middle_of_starts_finishes_each_of_them_once(far: LocalFarSide, pause: float) -> None:
    specs = [far.spec(at_start="import os; open('runs', 'a').write('run ')") for _ in range(5)]
    for spec in specs:
        far.spawner.start(spec)
    killer = threading.Timer(pause, os.kill, (far.agent(), signal.SIGKILL))
    killer.start()
    killer.join()
    for spec in specs:
        until(lambda spec=spec: in_state(far, spec.start_id, State.READY))  # type: ignore[misc]
        assert far.run(spec.start_id, "result = open('runs').read()") == "run "


@pytest.mark.case("R25")
def test_an_agent_of_another_version_is_replaced_and_what_runs_goes_on(far: LocalFarSide) -> None:
    spec = far.spec()
    before = ready(far, spec)
    agent = far.agent()
    with closing(ensure(replace(far.options, memory=4 * 1024**3))) as spawner:
        assert spawner.about()["pid"] != agent
        assert spawner.memory_capacity() == 4 * 1024**3
        assert spawner.observe() == [before]


def test_the_same_agent_is_kept_and_is_the_only_one(far: LocalFarSide) -> None:
    agent = far.agent()
    spawners: list[LocalSpawner] = []
    launches = [threading.Thread(target=lambda: spawners.append(ensure(far.options))) for _ in range(5)]
    for launch in launches:
        launch.start()
    for launch in launches:
        launch.join()
    assert [spawner.about()["pid"] for spawner in spawners] == [agent] * 5


def test_several_launches_at_once_start_one_agent(tmp_path: Path) -> None:
    far = LocalFarSide(tmp_path / "data")
    agent = far.agent()
    far.spawner.leave()
    until(lambda: not lives(agent))
    pids: list[int] = []
    launches = [threading.Thread(target=lambda: pids.append(ensure(far.options).about()["pid"])) for _ in range(4)]
    for launch in launches:
        launch.start()
    for launch in launches:
        launch.join()
    far.close()
    assert len(pids) == 4
    assert len(set(pids)) == 1


def test_down_ends_every_environment_and_the_agent(far: LocalFarSide) -> None:
    specs = [far.spec() for _ in range(3)]
    for spec in specs:
        ready(far, spec)
    agent = far.agent()
    assert stop(far.options)
    assert not lives(agent)
    assert [far.processes(spec.start_id) for spec in specs] == [0, 0, 0]


def test_down_ends_environments_whose_agent_is_gone(far: LocalFarSide) -> None:
    spec = far.spec()
    ready(far, spec)
    os.kill(far.agent(), signal.SIGKILL)
    assert stop(far.options)
    assert not stop(far.options)
    assert far.processes(spec.start_id) == 0


@pytest.mark.case("R25")
def test_a_killed_warm_parent_is_replaced_within_two_seconds_and_what_runs_goes_on(far: LocalFarSide) -> None:
    spec, after = far.spec(), far.spec()
    before = ready(far, spec)
    parent = far.warm_parent()["pid"]
    os.kill(parent, signal.SIGKILL)
    until(lambda: far.warm_parent()["pid"] not in (parent, None), within=2)
    assert observed(far, spec.start_id) == before
    assert ready(far, after).upstream


def test_starts_that_wait_for_a_killed_warm_parent_get_the_next_one(far: LocalFarSide) -> None:
    until(lambda: far.warm_parent()["ready"])
    specs = [far.spec() for _ in range(10)]
    os.kill(far.warm_parent()["pid"], signal.SIGSTOP)
    for spec in specs:
        far.spawner.start(spec)
    os.kill(far.warm_parent()["pid"], signal.SIGKILL)
    for spec in specs:
        until(lambda spec=spec: in_state(far, spec.start_id, State.READY))  # type: ignore[misc]


@pytest.mark.case("R8")
def test_a_workspace_is_one_start_s_before_it_has_a_process_and_under_the_next_agent_too(far: LocalFarSide) -> None:
    until(lambda: far.warm_parent()["ready"])
    first = far.spec()
    os.kill(far.warm_parent()["pid"], signal.SIGSTOP)
    far.spawner.start(first)
    until(far.folders.start(first.start_id).checkpoints.exists)
    _refused(far, first.workspace_id)
    os.kill(far.warm_parent()["pid"], signal.SIGKILL)
    os.kill(far.agent(), signal.SIGKILL)
    _refused(far, first.workspace_id)
    until(lambda: in_state(far, first.start_id, State.READY))


def _refused(far: LocalFarSide, workspace_id: str) -> None:
    second = far.spec(workspace_id=workspace_id)
    far.spawner.start(second)
    exit_ = ended(far, second.start_id).exit
    assert exit_
    assert (exit_.why, exit_.detail) == (Ending.NEVER_STARTED, HELD)


@pytest.mark.case("R9")
def test_a_start_that_waits_for_its_warm_parent_can_be_stopped(tmp_path: Path) -> None:
    far = LocalFarSide(tmp_path / "data", preload="tests.spawners.slow_preload")
    spec = far.spec()
    far.spawner.start(spec)
    assert in_state(far, spec.start_id, State.PENDING)
    far.spawner.stop(spec.start_id)
    exit_ = ended(far, spec.start_id, within=2).exit
    far.close()
    assert exit_
    assert exit_.why is Ending.STOPPED


@pytest.mark.parametrize("interpreter", ["/nowhere/python", "/bin/false"])
def test_an_interpreter_that_does_not_run_ends_starts_with_a_reason(tmp_path: Path, interpreter: str) -> None:
    far = LocalFarSide(tmp_path / "data", interpreters=(Path(interpreter),))
    spec = far.spec()
    far.spawner.start(spec)
    exit_ = ended(far, spec.start_id).exit
    far.close()
    assert exit_
    assert exit_.why is Ending.NEVER_STARTED
    assert interpreter in exit_.detail


def test_a_broken_watch_ends_and_a_silent_agent_is_a_silent_cluster(far: LocalFarSide) -> None:
    agent = far.agent()
    hasty = LocalSpawner(far.folders.agent_socket, far.folders.agent_secret.read_text(), patience=0.2)
    with far.watching() as watch:
        watch.next()
        os.kill(agent, signal.SIGSTOP)
        began = time.monotonic()
        with pytest.raises(ClusterSilent):
            hasty.observe()
        assert time.monotonic() - began < 2
        os.kill(agent, signal.SIGKILL)
        watch.thread.join(5)
        assert not watch.thread.is_alive()
    with pytest.raises(ClusterSilent):
        hasty.observe()


@pytest.mark.case("CVE-2026-111926")
def test_without_the_secret_nothing_is_answered(far: LocalFarSide) -> None:
    for secret in ("", "wrong", far.folders.agent_secret.read_text() + "x"):
        spawner = LocalSpawner(far.folders.agent_socket, secret)
        with pytest.raises(ClusterSilent):
            spawner.about()
        with pytest.raises(ClusterSilent):
            spawner.start(far.spec())
    assert far.spawner.observe() == []


@pytest.mark.case("CVE-2026-111926")
def test_nobody_else_may_enter_the_folders_or_open_the_socket_and_the_secret(far: LocalFarSide) -> None:
    folders = far.folders
    spec = far.spec()
    ready(far, spec)
    closed = [folders.runtime, folders.workspaces, folders.starts, folders.locks, folders.trash]
    closed += [folders.workspace(spec.workspace_id), folders.socket_folder(spec.start_id), folders.start(spec.start_id).path]
    assert {stat.S_IMODE(folder.stat().st_mode) for folder in closed} == {0o700}
    assert {stat.S_IMODE(file.stat().st_mode) for file in (folders.agent_socket, folders.agent_secret)} == {0o600}


@pytest.mark.parametrize("place", ["/proc/podium", "file/data"])
def test_a_data_folder_that_cannot_be_written_is_one_clear_sentence(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CannotStart, match="cannot be made"):
        LocalFarSide(tmp_path / place)


def test_a_foreign_or_open_runtime_folder_is_refused(tmp_path: Path) -> None:
    for runtime in (tmp_path / "open", tmp_path / "link"):
        (tmp_path / "open").mkdir(mode=0o777, exist_ok=True)
        (tmp_path / "open").chmod(0o777)
        if runtime.name == "link":
            runtime.symlink_to(tmp_path / "open")
        folders = replace(folders_at(tmp_path / "data"), runtime=runtime)
        with pytest.raises(CannotStart, match="not this account's alone"):
            folders.prepare()


def test_a_runtime_folder_with_too_long_a_path_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CannotStart, match="too long"):
        folders_at(tmp_path, tmp_path / ("r" * 100))


def test_a_data_folder_with_a_long_path_works(tmp_path: Path) -> None:
    far = LocalFarSide(tmp_path / ("long " * 30).strip() / ("ü" * 60), isolation="none")
    spec = far.spec()
    upstream = ready(far, spec).upstream
    far.run(spec.start_id, "import multiprocessing.connection as c; c.Listener(family='AF_UNIX').close()")
    far.close()
    assert upstream
    assert len(os.fsencode(upstream.removeprefix("unix:"))) < 100

"""Starts the agent where it is not running, and ends it for `down`.

The agent is detached: it outlives the hub. One that runs with other arguments or older code is
asked to leave and is replaced; environments do not notice. It is single by a lock, so several
processes may launch it at once.
"""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

from hub.clusters.quantities import parse_bytes
from hub.errors import CannotStart, ClusterSilent
from hub.seam import crossing
from hub.settings import Settings
from hub.settings_field import listed
from hub.spawners.local.client import LocalSpawner
from hub.spawners.local.folders import Folders, StartFolder, folders_at
from hub.spawners.local.options import ROOT, Options
from hub.spawners.local.owned import own_folder
from hub.spawners.local.processes import start_time
from hub.spawners.local.secret import secret_of

AGENT = (sys.executable, "-m", "hub.spawners.local.agent")
_ANSWERS_WITHIN = 15.0
_LEAVES_WITHIN = 10.0
_PAUSE = 0.02
_LARGEST_LOG = 4 * 1024 * 1024


def options_of(settings: Settings, interpreters: Iterable[Path] = ()) -> Options:
    """The default interpreter of environments and those that profiles name, the settings' folders and memory."""
    folders = folders_at(settings.data_dir, settings.runtime_dir)
    known = tuple(dict.fromkeys((settings.environment_python.absolute(), *interpreters)))
    memory = parse_bytes(settings.memory_for_environments) if settings.memory_for_environments else None
    readable = tuple(Path(folder) for folder in listed(settings.readable_folders))
    return Options(
        folders.data,
        folders.runtime,
        known,
        memory,
        isolation=settings.isolation,
        uids=settings.environment_uids,
        ports=settings.environment_ports,
        outward=settings.outward_ports,
        group=settings.runtime_group,
        readable=readable,
    )


def ensure_agent(settings: Settings, interpreters: Iterable[Path] = ()) -> LocalSpawner:
    """A spawner whose agent runs; its calls start the agent again where it has died. Raises `CannotStart`."""
    return ensure(options_of(settings, interpreters))


def connect(settings: Settings) -> LocalSpawner:
    """A spawner that talks to the agent that runs, and starts none: for commands, and where another service runs it.

    Raises `CannotStart` where that one has not begun.
    """
    options = options_of(settings)
    if settings.local_agent == "elsewhere":
        return _elsewhere(Folders(options.data, options.runtime))
    folders = Folders(options.data, options.runtime)
    folders.prepare()
    return LocalSpawner(folders.agent_socket, secret_of(folders))


def find(settings: Settings) -> LocalSpawner | None:
    """The same for who only looks: makes nothing, and is None where no agent of this account's can be running."""
    folders = folders_at(settings.data_dir, settings.runtime_dir)
    return connect(settings) if settings.local_agent == "elsewhere" or _may_run(folders) else None


def _may_run(folders: Folders) -> bool:
    """Raises `CannotStart` where an agent of another account's may."""
    if not os.path.lexists(folders.agent_secret):
        return False
    own_folder(folders.data)
    return folders.runtime.exists()


def _elsewhere(folders: Folders) -> LocalSpawner:
    try:
        secret = folders.shared_secret.read_text()
    except OSError as error:
        raise CannotStart(
            f"The service that runs environments has not begun: {folders.shared_secret} cannot be read ({error.strerror}). "
            "Start it, or see why not: docker compose logs environments"
        ) from error
    return LocalSpawner(folders.agent_socket, secret)


def ensure(options: Options, command: tuple[str, ...] = AGENT) -> LocalSpawner:
    """The same for given options and a given program."""
    folders = Folders(options.data, options.runtime)
    folders.prepare()
    secret = secret_of(folders)
    spawner = LocalSpawner(folders.agent_socket, secret, lambda: _launch(options, folders, secret, command))
    _launch(options, folders, secret, command)
    return spawner


def stop_agent(settings: Settings) -> bool:
    """End all environments, then the agent; also environments that have outlived their agent. False where nothing ran."""
    return stop(options_of(settings))


def stop(options: Options, command: tuple[str, ...] = AGENT) -> bool:
    """The same for given options and a given program."""
    folders = Folders(options.data, options.runtime)
    if not folders.agent_lock.exists():
        return False
    secret = secret_of(folders)
    with contextlib.closing(LocalSpawner(folders.agent_socket, secret)) as spawner:
        if _pid(spawner) is None:
            if not _has_unended(folders):
                return False
            _launch(options, folders, secret, command)  # only an agent knows how to end them
        pid = _pid(spawner)
        spawner.down()
    if pid is not None:
        _until_gone(pid)
    return True


def _has_unended(folders: Folders) -> bool:
    return any(not StartFolder(path).exit.exists() for path in folders.starts.glob("*"))


def _launch(options: Options, folders: Folders, secret: str, command: tuple[str, ...]) -> None:
    """Returns when an agent with these options answers."""
    with contextlib.closing(LocalSpawner(folders.agent_socket, secret)) as spawner:
        _make_way(spawner, options.fingerprint())
        deadline = time.monotonic() + _ANSWERS_WITHIN
        while _pid(spawner) is None:
            _spawn(options, folders, command)
            if time.monotonic() > deadline:
                raise CannotStart(f"The agent that runs environments does not answer; {folders.agent_log} says why.")


def _make_way(spawner: LocalSpawner, fingerprint: str) -> None:
    """An agent of another time leaves, so that a new one can take its place."""
    try:
        about = spawner.about()
        if about["fingerprint"] != fingerprint:
            spawner.leave()
            _until_gone(about["pid"])
    except ClusterSilent:
        return


def _pid(spawner: LocalSpawner) -> int | None:
    try:
        return int(spawner.about()["pid"])
    except ClusterSilent:
        return None


def _spawn(options: Options, folders: Folders, command: tuple[str, ...]) -> None:
    """Returns when the agent listens and has detached itself, or another one is running already."""
    _set_aside(folders.agent_log)
    with crossing("start the agent"), folders.agent_log.open("ab") as output:
        done = subprocess.run(  # noqa: S603 (our own program)
            [*command, "--detach", *options.arguments()],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            check=False,
        )
    if done.returncode != 0:
        raise CannotStart(f"The agent that runs environments does not start; {folders.agent_log} says why.")


def _set_aside(log: Path) -> None:
    """A log that has grown large makes room for a new one."""
    if log.exists() and log.stat().st_size > _LARGEST_LOG:
        with crossing("set the agent's log aside"):
            log.replace(log.with_suffix(".log.old"))


def _until_gone(pid: int) -> None:
    deadline = time.monotonic() + _LEAVES_WITHIN
    while time.monotonic() < deadline:
        if start_time(pid) is None:
            return
        time.sleep(_PAUSE)
    raise CannotStart("The agent that runs environments does not end.")

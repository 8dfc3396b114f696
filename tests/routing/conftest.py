"""Four front doors: the embedded gateway and NGINX, each by host and by path."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil
import pytest

from hub.environments.model import Phase, Target
from hub.settings import Settings
from tests.routing.echo import Echo
from tests.routing.front import Front, Visitor
from tests.routing.serving import free_port, listener, nginx, serving
from tests.routing.world import CREDENTIAL, World

KINDS = [(kind, routing) for kind in ("gateway", "nginx") for routing in ("host", "path")]


@pytest.fixture(scope="session")
def sockets_folder() -> Iterator[Path]:
    """Short, because the path of a Unix socket ends at 107 characters."""
    folder = Path(tempfile.mkdtemp(prefix="podium-r-"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def template(sqlite_template: Path) -> Path:
    """A migrated SQLite database to copy."""
    return sqlite_template


@pytest.fixture(scope="session", params=KINDS, ids="-".join)
def front(
    request: pytest.FixtureRequest, template: Path, sockets_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Front]:
    """One front door with alice and bob and their environments, shared by the tests that change nothing for others."""
    kind, routing = request.param
    with opened(kind, routing, template, sockets_folder, tmp_path_factory.mktemp("front")) as front:
        yield front


@pytest.fixture(params=KINDS, ids="-".join)
def own_front(request: pytest.FixtureRequest, template: Path, sockets_folder: Path, tmp_path: Path) -> Iterator[Front]:
    """A front door of the test's own, which it may break."""
    kind, routing = request.param
    with opened(kind, routing, template, sockets_folder, tmp_path) as front:
        yield front


@contextmanager
def opened(kind: str, routing: str, template: Path, sockets: Path, folder: Path) -> Iterator[Front]:
    with ExitStack() as stack:
        bound = listener()
        hub_port = int(bound.getsockname()[1])
        database = folder / "podium.db"
        shutil.copyfile(template, database)
        if kind == "gateway":
            port, pids, world = hub_port, (os.getpid(),), World.build(settings_for(routing, hub_port), f"sqlite:///{database}")
            stack.callback(world.close)
            stack.enter_context(serving(world.app, bound))
        else:
            settings = settings_for(routing, free_port())
            world = World.build(settings, f"sqlite:///{database}")
            stack.callback(world.close)
            stack.enter_context(serving(world.app, bound))
            port, pid = stack.enter_context(nginx(settings, folder / "nginx", CREDENTIAL, f"127.0.0.1:{hub_port}"))
            pids = tuple(child.pid for child in psutil.Process(pid).children())
        yield peopled(stack, world, sockets, kind, port, pids)


def settings_for(routing: str, port: int) -> Settings:
    return Settings.model_validate({"routing": routing, "port": port, "base_domain": "localhost"})


def peopled(stack: ExitStack, world: World, sockets: Path, kind: str, port: int, pids: tuple[int, ...]) -> Front:
    folder = Path(tempfile.mkdtemp(dir=sockets))
    front = Front(world, Echo(), port, kind, pids, Visitor(*world.login("alice")), Visitor(*world.login("bob")))
    for slug, owner in (("calm-heron", "alice"), ("bold-otter", "bob")):
        upstream = folder / owner
        front.environments[slug] = world.environment(slug, owner, f"unix:{upstream}")
        stack.enter_context(serving(front.echo, listener(upstream)))
    guarded = world.environment("grave-lynx", "alice", f"unix:{folder / 'guarded'}")
    stack.enter_context(serving(world.guarded(front.echo, guarded), listener(folder / "guarded")))
    front.environments["grave-lynx"] = guarded
    dead = world.environment("dead-wren", "alice", f"unix:{folder / 'nobody'}")
    front.environments["dead-wren"] = dead
    phases = {
        "stopped": (Phase.STOPPED, Target.STOPPED),
        "queued": (Phase.QUEUED, Target.RUNNING),
        "starting": (Phase.STARTING, Target.RUNNING),
        "stopping": (Phase.STOPPING, Target.STOPPED),
        "failed": (Phase.FAILED, Target.STOPPED),
    }
    for slug, (phase, target) in phases.items():
        front.environments[slug] = world.environment(slug, "alice", phase=phase, target=target, reason=f"Because it {slug} <b>")
    return front

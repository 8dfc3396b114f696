"""`make bench-cluster`: what the hub adds to a launch on Kubernetes, 200 launches at once, and 1,000 environments known.

The hub runs in this process, in the cluster's network, with the stand-in of the cluster's tests as the image. Its own share
of a launch is taken from its monotonic clock: Kubernetes' times have whole seconds. KubeSpawner, from PyPI in a virtual
environment of its own, starts pods of the same image in the same run.
"""

import json
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil

from hub import services as composition
from hub.background import background
from hub.database import Database
from hub.datafolder import prepare
from hub.environments.launching import LaunchOrder, count_live
from hub.environments.model import Phase
from hub.far_side import FarSide
from hub.identity.model import User
from hub.identity.person import Person
from hub.identity.roles import Role
from hub.migrate import migrate
from hub.services import Services
from hub.settings import ROOT, Settings
from hub.spawners.kubernetes.api import Api
from hub.spawners.kubernetes.calls import connect
from hub.spawners.kubernetes.place import Place
from hub.spawners.kubernetes.spawner import KubernetesSpawner
from tests.bench import whole
from tests.bench.figures import Figure
from tests.bench.hub_share import Clock
from tests.bench.run import report
from tests.cluster.namespace import own_namespace
from tests.cluster.nodes import fake_nodes
from tests.spawners.far_side import until
from tests.spawners.kubernetes_side import HUB, STAND_IN

RESULT = ROOT / "build" / "bench-cluster.json"
STARTS, AT_ONCE, KNOWN = 15, 200, 1000
IDLE = 30.0
"""Seconds for which an idle hub is watched."""
MODEL = "BENCH"
PROFILES = """
[[profile]]
name = "Light"
cpu = 1
memory = "512Mi"
cpu_request = 0.01
memory_request = "32Mi"
storage = "64Mi"
default = true

[[profile]]
name = "Fake"
cpu = 1
memory = "256Mi"
memory_request = "32Mi"
cpu_request = 0.01
storage = "64Mi"
[profile.placement]
node_selector = { "nvidia.com/gpu.product" = "BENCH" }
tolerations = [{ key = "kwok.x-k8s.io/node", value = "fake", effect = "NoSchedule" }]
"""


@contextmanager
def hub_in(namespace: str, folder: Path) -> Iterator[Services]:
    """A hub of this process, whose environments are pods of that namespace."""
    profiles = folder / "profiles.toml"
    profiles.write_text(PROFILES, encoding="utf-8")
    settings = Settings(
        spawner="kubernetes", data_dir=folder / "data", profiles_file=profiles, environment_image=os.environ[STAND_IN]
    )
    database = Database(settings.database)
    data = prepare(settings.data_dir)
    migrate(database, data.backups)
    spawner = KubernetesSpawner(Api(connect(os.environ["KUBECONFIG"]), namespace), Place(namespace, os.environ[HUB]))
    services = composition.build(settings, data, database, FarSide(settings.home, spawner, str))
    services.keeper.round = lambda: None  # type: ignore[method-assign] # on nodes that are only objects nothing can be measured
    with background(services):
        yield services
    spawner.close()
    database.close()


def person(services: Services, name: str) -> Person:
    user = User(name=name, display_name=name, role=Role.USER)
    with services.database.writing("bench user") as session:
        session.add(user)
    found = services.sessions.resolve(services.sessions.open(user.id, "127.0.0.1", "bench"))
    assert found
    return found


def reaches(services: Services, somebody: Person, environment_id: str, phase: Phase) -> None:
    until(lambda: services.environments.get(somebody, environment_id).phase is phase)


def share_and_seconds(services: Services) -> tuple[list[float], list[float]]:
    """Of each of some launches one after the other: the hub's own milliseconds, and the seconds from request to running."""
    shares, totals = [], []
    for number in range(STARTS):
        somebody = person(services, f"one-{number}")
        with Clock() as clock:
            view = services.environments.launch(somebody, LaunchOrder("bench", "Light"))
            until(lambda: clock.committed)
        shares.append(clock.share * 1000)
        totals.append(clock.total)
        services.environments.stop(somebody, view.id)
        reaches(services, somebody, view.id, Phase.STOPPED)
    return shares, totals


def kubespawner_seconds(namespace: str) -> list[float]:
    """The same number of starts by KubeSpawner, each until its pod is Ready."""
    python = os.environ["BENCH_KUBESPAWNER"]
    command = [python, str(Path(__file__).with_name("kubespawner_starts.py")), namespace, os.environ[STAND_IN], str(STARTS)]
    found: list[float] = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return found


def many(services: Services, count: int, name: str) -> float:
    """Seconds until as many launches by as many people were all accepted."""
    people = [person(services, f"{name}-{number}") for number in range(count)]
    began = time.monotonic()
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda one: services.environments.launch(one, LaunchOrder("bench", "Fake")), people))
    return time.monotonic() - began


def running(services: Services) -> int:
    with services.database.reading() as session:
        return count_live(session).get(Phase.RUNNING, 0)


def measure(tell: Callable[[Figure], None]) -> None:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        stack.enter_context(fake_nodes(12, gpu=f"{MODEL}:1"))  # which go after the pods on them
        namespace = stack.enter_context(own_namespace(gone_within=600))
        services = stack.enter_context(hub_in(namespace, folder))
        shares, totals = share_and_seconds(services)
        tell(Figure("The hub's share of a launch, p50", statistics.median(shares), "ms", limit=50))
        beside = statistics.median(kubespawner_seconds(stack.enter_context(own_namespace(restricted=False))))
        tell(Figure("Launch request to running, p50", statistics.median(totals), "s", beside, "KubeSpawner, start() to Ready"))
        with Clock() as clock:
            tell(Figure("200 launches at once, until the last is accepted", many(services, AT_ONCE, "many"), "s", limit=4))
            before = time.monotonic()
            until(lambda: running(services) >= AT_ONCE, 600)
            tell(Figure("The same, until the last runs", time.monotonic() - before, "s"))
        tell(Figure("Requests to the API server for each of them", clock.calls / AT_ONCE, "", limit=12))
        for figure in known(services):
            tell(figure)
    for figure in whole.figures(PROFILES, f"{MODEL}:1"):
        tell(figure)


def known(services: Services) -> Iterator[Figure]:
    """What it costs to know of a thousand."""
    process = psutil.Process()
    few, memory = running(services), process.memory_info().rss
    many(services, KNOWN - few, "known")
    until(lambda: running(services) >= KNOWN, 1200)
    grown = (process.memory_info().rss - memory) / 1024 / (KNOWN - few)
    yield Figure("Memory of the hub for each environment that it knows", grown, "KiB")
    before = sum(process.cpu_times()[:2])
    time.sleep(IDLE)
    used = (sum(process.cpu_times()[:2]) - before) / IDLE * 100
    yield Figure("An idle hub that knows of 1,000, of a core", used, "%", limit=5)


if __name__ == "__main__":
    os.environ.setdefault("TEST_CHROMIUM", "/usr/bin/chromium")  # what people have, not what tests get by with
    report(measure, RESULT)

"""A hub in front of Kubernetes is killed before every crossing of the seam, and after the last: nothing is lost or left behind.

Each test tells one story without a kill, to learn its crossings, then once for each of them with a kill there. Between two
crossings nothing outside the hub is changed, so a kill after one is a kill before the next.
"""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

import pytest
from kubernetes import client
from sqlmodel import col, select

from hub.clock import new_id
from hub.environments.model import Environment, Phase
from hub.settings import Settings
from hub.spawners.kubernetes.calls import connect
from hub.spawners.kubernetes.parts import START, STARTS, VOLUMES, WORKSPACE
from hub.workspaces.model import Workspace, WorkspaceState
from tests.cluster.namespace import own_namespace
from tests.faults.forge import Forge, forge
from tests.faults.hubs import Declined, Hubs
from tests.faults.plan import Plan
from tests.spawners.kubernetes_side import HUB, STAND_IN

PROFILES = """
[[profile]]
name = "Light"
cpu = 1
memory = "256Mi"
cpu_request = 0.01
memory_request = "32Mi"
storage = "64Mi"
default = true
"""
HOUSES = 3
LAUNCH, DELETE = 8, 10
"""How many crossings are known to be part of each story; fewer mean that a side effect has left the seam."""


class House(Hubs):
    """A hub beside the cluster, and what there is in its namespace."""

    within = 60.0

    def __init__(self, hubs: Forge, folder: Path, namespace: str) -> None:
        profiles = folder / "profiles.toml"
        profiles.write_text(PROFILES, encoding="utf-8")
        settings = Settings(
            data_dir=folder / "data",
            port=0,
            spawner="kubernetes",
            kubeconfig=Path(os.environ["KUBECONFIG"]),
            namespace=namespace,
            environment_image=os.environ[STAND_IN],
            hub_image=os.environ[HUB],
            profiles_file=profiles,
        )
        super().__init__(hubs, folder, settings)
        self.namespace, self.core = namespace, client.CoreV1Api(connect(os.environ["KUBECONFIG"]))

    def launch(self, *, wait: bool = True) -> tuple[str, str]:
        """Somebody new, and the id of their environment."""
        owner = self.new_user()
        environment_id = self.command("launch", owner, "analysis")
        if wait:
            self.until(lambda: self.row(Environment, environment_id).phase is Phase.RUNNING, "running")
        return owner, environment_id

    def delete(self, owner: str, environment_id: str) -> None:
        """With its workspace, until both are gone."""
        with suppress(Declined):  # what was done before the hub was killed
            self.command("delete with workspace", owner, environment_id)
        self.until(lambda: self.row(Environment, environment_id).deleted_at, "deleted")

    def settle(self) -> None:
        """Until all that is not deleted runs, and the namespace holds what the rows say and nothing else."""
        self.until(lambda: not self.faults(), lambda: f"in order: {self.faults()}")

    def faults(self) -> list[str]:
        with self.database.reading() as session:
            rows = session.exec(select(Environment).where(col(Environment.deleted_at).is_(None))).all()
            kept = session.exec(select(Workspace.id).where(Workspace.state != WorkspaceState.DELETED)).all()
        starts = sorted(str(row.start_id) for row in rows)
        wanted = {"pods": starts, "secrets": starts, "claims": sorted(row.workspace_id for row in rows)}
        left = [f"{kind}: {found} instead of {wanted[kind]}" for kind, found in self.there().items() if found != wanted[kind]]
        left += [f"{row.name} is {row.phase}" for row in rows if row.phase is not Phase.RUNNING]
        return left + (["a workspace is not deleted"] if len(kept) != len(rows) else [])

    def there(self) -> dict[str, list[str]]:
        core, namespace = self.core, self.namespace
        return {
            "pods": _values(core.list_namespaced_pod(namespace, label_selector=STARTS), START),
            "secrets": _values(core.list_namespaced_secret(namespace, label_selector=START), START),
            "claims": _values(core.list_namespaced_persistent_volume_claim(namespace, label_selector=VOLUMES), WORKSPACE),
        }


def _values(found: Any, label: str) -> list[str]:
    return sorted(one.metadata.labels[label] for one in found.items)


@pytest.fixture(scope="module")
def houses(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[House]]:
    """Several, so that the tellings of a story go on side by side: most of each is waiting."""
    with forge() as hubs, ExitStack() as stack:
        yield [stack.enter_context(house_in(tmp_path_factory.mktemp("house"), hubs)) for _ in range(HOUSES)]


@contextmanager
def house_in(folder: Path, hubs: Forge) -> Iterator[House]:
    with own_namespace() as namespace, closing(House(hubs, folder, namespace)) as house:
        house.start()
        yield house


@pytest.mark.case("R1")
def test_a_launch_that_is_cut_short_anywhere_comes_about_once(houses: list[House]) -> None:
    each_crossing(houses, LAUNCH, House.launch)


@pytest.mark.case("R2")
def test_a_deletion_that_is_cut_short_anywhere_leaves_nothing(houses: list[House]) -> None:
    launched = {house.namespace: [house.launch(wait=False) for _ in range(DELETE // HOUSES + 2)] for house in houses}
    for house in houses:
        house.settle()
    each_crossing(houses, DELETE, lambda house: house.delete(*(launched[house.namespace] or [house.launch()]).pop()))


def each_crossing(houses: list[House], least: int, story: Callable[[House], object]) -> None:
    """Tell the story without a kill, then with one at each of its crossings."""
    told(houses[0], Plan(new_id()), story)
    plans: SimpleQueue[Plan] = SimpleQueue()
    names = houses[0].crash.crossings("hub", "before")
    assert len(names) >= least, f"a side effect has left the seam: {names}"
    for number in range(1, len(names) + 1):
        plans.put(Plan(new_id(), "hub", number, "before"))
    plans.put(Plan(new_id(), "hub", least, "after"))

    def tell(house: House) -> None:
        with suppress(Empty):
            while True:
                plan = plans.get_nowait()
                told(house, plan, story)
                assert house.crash.has_killed or plan.number > least, f"crossing {plan.number} was not reached {plan.side}"

    with ThreadPoolExecutor(len(houses)) as pool:
        list(pool.map(tell, houses))


def told(house: House, plan: Plan, story: Callable[[House], object]) -> None:
    house.crash.arm(plan)
    try:
        story(house)
        house.settle()
    finally:
        house.crash.disarm()

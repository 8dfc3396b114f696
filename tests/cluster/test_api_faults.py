"""Whatever becomes of a request to the API server: a start that is ordered again runs once, and nothing is left behind."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from kubernetes import client

from hub.errors import ClusterSilent
from hub.spawners.base import Ending, Observation, StartSpec, State
from hub.spawners.kubernetes.api import Api
from hub.spawners.kubernetes.calls import connect
from hub.spawners.kubernetes.parts import START
from hub.spawners.kubernetes.place import Place
from hub.spawners.kubernetes.spawner import KubernetesSpawner
from tests.cluster.fault_proxy import Fault, FaultProxy, fault_proxy
from tests.spawners.far_side import until
from tests.spawners.kubernetes_side import HUB, KubernetesFarSide

FAULTS: tuple[Fault, ...] = ("drop", "lose", "delay", "409", "429", "500")
WATCH_FAULTS: tuple[Fault, ...] = ("drop", "410", "429", "500", "delay")
WRITES = [("PATCH", "/secrets/"), ("PATCH", "/persistentvolumeclaims/"), ("POST", "/pods")]
ENDS = [("PATCH", "/pods/"), ("DELETE", "/pods/"), ("DELETE", "/secrets/")]


@pytest.fixture(scope="module")
def far() -> Iterator[KubernetesFarSide]:
    one = KubernetesFarSide()
    yield one
    one.close()


@dataclass
class Hub:
    """What a hub has that reaches the API server through a proxy, and one start of its."""

    proxy: FaultProxy
    spawner: KubernetesSpawner
    core: client.CoreV1Api
    """Around the proxy."""
    namespace: str
    spec: StartSpec

    def seen(self) -> Observation | None:
        try:
            return next((one for one in self.spawner.observe() if one.start_id == self.spec.start_id), None)
        except ClusterSilent:
            return None

    def is_in(self, state: State) -> bool:
        seen = self.seen()
        return seen is not None and seen.state is state

    def start(self) -> None:
        """Order it until it runs, as the controller does. There is one pod of it."""
        insist(lambda: self.spawner.start(self.spec), lambda: self.is_in(State.READY))
        assert self.left() == ["pod", "secret"]

    def end(self) -> None:
        """Stop and forget it until nothing is left of it."""
        insist(lambda: self.spawner.stop(self.spec.start_id), lambda: self.is_in(State.ENDED))
        seen = self.seen()
        assert seen
        assert seen.exit
        assert seen.exit.why is Ending.STOPPED
        insist(lambda: self.spawner.forget(self.spec.start_id), lambda: self.left() == [])

    def left(self) -> list[str]:
        """What there is of its start."""
        selector = f"{START}={self.spec.start_id}"
        pods = self.core.list_namespaced_pod(self.namespace, label_selector=selector).items
        secrets = self.core.list_namespaced_secret(self.namespace, label_selector=selector).items
        return ["pod" for _ in pods] + ["secret" for _ in secrets]


@contextmanager
def hub_of(far: KubernetesFarSide) -> Iterator[Hub]:
    upstream = connect(os.environ["KUBECONFIG"])
    with fault_proxy(upstream) as proxy:
        spawner = KubernetesSpawner(Api(proxy.api(), far.namespace), Place(far.namespace, os.environ[HUB]))
        spawner.observe()
        try:
            yield Hub(proxy, spawner, client.CoreV1Api(upstream), far.namespace, far.spec())
        finally:
            spawner.close()


def each_at_once(far: KubernetesFarSide, faults: tuple[Fault, ...], story: Callable[[Hub, Fault], None]) -> None:
    """The story for each fault, all at the same time, each with a hub of its own."""

    def told(fault: Fault) -> None:
        with hub_of(far) as hub:
            story(hub, fault)

    with ThreadPoolExecutor(len(faults)) as pool:
        for done in [pool.submit(told, fault) for fault in faults]:
            done.result()


def insist(act: Callable[[], object], reached: Callable[[], bool]) -> None:
    """Order it again and again, as the controller does, until it has come about."""

    def again() -> bool:
        if reached():
            return True
        try:
            act()
        except ClusterSilent:
            return False
        return reached()

    until(again)


@pytest.mark.case("R7")
@pytest.mark.parametrize(("method", "part"), WRITES)
def test_a_fault_in_a_write_of_a_start(far: KubernetesFarSide, method: str, part: str) -> None:
    def story(hub: Hub, fault: Fault) -> None:
        rule = hub.proxy.will(fault, method, part)
        if fault == "409" and part != "/pods":
            refused(hub)
        else:
            hub.start()
            hub.end()
        assert rule.done == 1

    each_at_once(far, FAULTS, story)


def refused(hub: Hub) -> None:
    """An answer that says no for good ends the start, with the reason; it leaves nothing."""
    hub.spawner.start(hub.spec)
    until(lambda: hub.is_in(State.ENDED))
    seen = hub.seen()
    assert seen
    assert seen.exit
    assert (seen.exit.why, seen.exit.detail) == (Ending.NEVER_STARTED, "the cluster refused it (a fault of the test)")
    until(lambda: hub.left() == [])


@pytest.mark.case("R9")
def test_a_fault_in_each_write_of_an_end(far: KubernetesFarSide) -> None:
    def story(hub: Hub, fault: Fault) -> None:
        hub.start()
        rules = [hub.proxy.will(fault, method, part) for method, part in ENDS]
        hub.end()
        assert [rule.done for rule in rules] == [1, 1, 1]

    each_at_once(far, FAULTS, story)


@pytest.mark.case("R5")
def test_faults_in_watches_and_lists(far: KubernetesFarSide) -> None:
    def story(hub: Hub, fault: Fault) -> None:
        rules = [hub.proxy.will(fault, "GET", part, times=2) for part in (r"/pods\?", r"/events\?")]
        hub.proxy.cut()
        hub.start()
        hub.proxy.cut()
        hub.end()
        assert all(rule.done for rule in rules)

    each_at_once(far, WATCH_FAULTS, story)


@pytest.mark.case("R5")
def test_a_list_that_is_older_than_what_is_known_is_not_believed(far: KubernetesFarSide) -> None:
    with hub_of(far) as hub:
        hub.start()
        watch = hub.proxy.will("410", "GET", r"/pods\?.*watch")
        stale = hub.proxy.will("stale", "GET", r"/pods\?.*limit=", times=2)
        hub.proxy.cut()
        until(lambda: watch.done == 1 and stale.done == 2)
        until(lambda: hub.is_in(State.READY))
        hub.end()

"""The page Clusters: this machine, a cluster of many nodes, one of which little may be seen, and a dead one."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.browser.looking import look
from tests.browser.people import Person, person
from tests.clusters.api_server import (
    CLASSES,
    METRICS,
    NODES,
    PODS,
    SLICES,
    ClusterServer,
    cluster_server,
    kubeconfig,
    node,
    pod,
    usage,
)
from tests.support.podium import Podium, installed

pytestmark = pytest.mark.browser

H100, A100 = "NVIDIA-H100-80GB-HBM3", "NVIDIA-A100-SXM4-80GB"


def of_a_centre() -> dict[str, list[dict[str, object]]]:
    """120 nodes, three of them with GPUs, one cordoned and one in trouble."""
    nodes = [
        node("gpu-1", gpus=8, model=H100),
        node("gpu-2", gpus=8, model=H100, unschedulable=True),
        node("gpu-3", gpus=4, model=A100),
        node("worker-0", conditions=("MemoryPressure",)),
        *(node(f"worker-{number}") for number in range(1, 117)),
    ]
    pods = [pod("gpu-1", cpu="12", memory="48Gi", gpu="6"), pod("gpu-3", cpu="2", gpu="1"), pod("gpu-2", gpu="1")]
    pods += [pod(f"worker-{number}", cpu="9", memory="30Gi") for number in range(60)]
    classes = [
        {
            "metadata": {"name": "fast", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
            "allowVolumeExpansion": True,
        }
    ]
    used = [usage(one["metadata"]["name"], "3500m", "20Gi") for one in nodes]
    return {NODES: nodes, PODS: pods, METRICS: used, CLASSES: classes, SLICES: []}


@pytest.fixture(scope="module")
def centre() -> Iterator[ClusterServer]:
    with cluster_server(of_a_centre()) as server:
        yield server


@pytest.fixture(scope="module")
def closed() -> Iterator[ClusterServer]:
    """A cluster of which only the nodes may be seen."""
    with cluster_server({NODES: [node("one"), node("two")]}) as server:
        yield server


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, centre: ClusterServer, closed: ClusterServer) -> Iterator[Podium]:
    folder = tmp_path_factory.mktemp("clusters")
    with cluster_server({}) as dead:
        nobody = dead.server_port
    links = '[links]\nGrafana = "https://grafana.example.org"\n"Argo CD" = "https://argocd.example.org"\n'
    for name, called, port, more in (
        ("centre", "GPU centre", centre.server_port, links),
        ("partner", "Partner university", closed.server_port, ""),
        ("dead", "Old cluster", nobody, ""),
    ):
        path = kubeconfig(folder, port)
        (folder / f"{name}.toml").write_text(f'name = "{called}"\nkubeconfig = "{path.name}"\n{more}', encoding="utf-8")
    data = tmp_path_factory.mktemp("podium")
    with installed(data, {"PODIUM_CLUSTER_CONFIG_PATH": str(folder)}) as podium:
        yield podium


def card(one: Person, name: str) -> Locator:
    return one.hub.locator("[class*=st-key-cluster-]").filter(has=one.hub.get_by_text(name, exact=True))


def test_everybody_sees_what_every_cluster_has_and_a_dead_one_is_named(house: Podium, ada: Person) -> None:
    ada.hub.goto(f"{house.url}/clusters")
    expect(card(ada, "This machine")).to_contain_text("Launches here")
    centre = card(ada, "GPU centre")
    for figure in ("Nodes ready118of 120", "CPU free1,343of 1,888 cores", "GPUs free5of 20"):
        expect(centre).to_contain_text(figure)
    expect(centre.get_by_role("link", name="Grafana")).to_have_attribute("href", "https://grafana.example.org")
    expect(card(ada, "Partner university")).to_contain_text("Podium may not see what pods ask for")
    expect(card(ada, "Old cluster")).to_contain_text("It does not answer. What runs there goes on")
    look(ada.hub, "clusters-full")


def test_the_nodes_of_a_cluster_come_a_page_at_a_time_and_those_in_trouble_first(house: Podium, ada: Person) -> None:
    ada.hub.goto(f"{house.url}/clusters")
    centre = card(ada, "GPU centre")
    centre.get_by_text("Nodes", exact=True).click()
    expect(centre.locator("[data-testid=stPagination]")).to_be_visible()
    cells = centre.locator("[data-testid=stDataFrame] canvas td")
    expect(cells.get_by_text("not ready, MemoryPressure")).to_have_count(1)
    expect(cells.get_by_text("cordoned")).to_have_count(1)
    look(ada.hub, "clusters-nodes")


def test_a_cluster_that_goes_silent_keeps_what_it_told_and_the_page_comes_all_the_same(
    house: Podium, ada: Person, closed: ClusterServer
) -> None:
    ada.hub.goto(f"{house.url}/clusters")
    expect(card(ada, "Partner university")).to_contain_text("Answers")
    closed.answers.clear()
    try:
        expect(card(ada, "Partner university")).to_contain_text("It has not answered within 4 seconds.", timeout=90_000)
        expect(card(ada, "Partner university")).to_contain_text("Nodes ready2of 2")
        expect(card(ada, "This machine")).to_contain_text("Answers")
        look(ada.hub, "clusters-silent")
    finally:
        closed.answers.set()


def test_a_stranger_is_sent_to_the_login(house: Podium, browsers: Browser) -> None:
    with person(browsers, house.url) as stranger:
        stranger.hub.goto(f"{house.url}/clusters")
        expect(stranger.hub.get_by_role("heading", name="Log in")).to_be_visible()

"""A Podium whose environments are pods, behind NGINX, in a namespace of its own."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.conftest import Place
from tests.cluster.namespace import own_namespace
from tests.routing.serving import free_port
from tests.support.nginx import nginx_in_front
from tests.support.podium import Podium


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """Where the main story takes place: the hub runs beside the cluster, in its network."""
    port, hub_port = free_port(), free_port()
    with own_namespace() as namespace:
        podium = Podium(
            tmp_path,
            {
                "PODIUM_SPAWNER": "kubernetes",
                "PODIUM_KUBECONFIG": os.environ["KUBECONFIG"],
                "PODIUM_NAMESPACE": namespace,
                "PODIUM_ENVIRONMENT_IMAGE": os.environ["TEST_ENVIRONMENT_IMAGE"],
                "PODIUM_HUB_IMAGE": os.environ["TEST_HUB_IMAGE"],
                "PODIUM_PUBLIC_URL": f"http://localhost:{port}",
                "PODIUM_PORT": str(hub_port),
            },
        )
        podium.start()
        try:
            with nginx_in_front(podium, tmp_path, port):
                yield Place(podium.url, podium.link or "")
        finally:
            podium.stop()

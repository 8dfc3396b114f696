"""A Podium installed in the cluster."""

from collections.abc import Iterator

import pytest

from tests.browser.conftest import Place
from tests.cluster.installed import Release, installed
from tests.cluster.tools import kubectl
from tests.spawners.far_side import clear, until
from tests.spawners.kubernetes_side import KubernetesFarSide

KINDS = "pods,secrets,services,jobs.batch,deployments.apps,networkpolicies.networking.k8s.io,leases.coordination.k8s.io"
"""What a start might leave in its namespace. Claims are people's files and stay."""


@pytest.fixture
def far() -> Iterator[KubernetesFarSide]:
    """Whatever a test did, nothing but claims is left once its starts are stopped and forgotten."""
    one = KubernetesFarSide()
    yield one
    clear(one)
    until(lambda: kubectl("-n", one.namespace, "get", KINDS, "-o", "name") == "")
    one.close()


@pytest.fixture(scope="module")
def release() -> Iterator[Release]:
    with installed() as one:
        yield one


@pytest.fixture
def place(release: Release) -> Place:
    """Where the main story takes place."""
    return Place(release.url, release.link)

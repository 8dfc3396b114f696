"""Podium installed by its chart, in namespaces of a test's own."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from kubernetes import client

from hub.settings import ROOT
from hub.spawners.kubernetes.calls import connect
from tests.cluster.namespace import own_namespace
from tests.cluster.tools import forwarded, kubectl, run
from tests.routing.serving import free_port

CHART = str(ROOT / "helm" / "podium")
RELEASE = "podium"


@dataclass(frozen=True)
class Release:
    """`url` is where a browser beside the cluster reaches it."""

    namespace: str
    environments: str
    url: str

    @property
    def link(self) -> str:
        """The first administrator's, as the chart's notes say."""
        logged = kubectl("-n", self.namespace, "logs", f"{RELEASE}-hub-0")
        found = re.search(r"First administrator, .*: (\S+)", logged)
        assert found, logged
        return found[1]


DATABASE = "podium-database"
"""The secret with DATABASE_URL, where one is given."""


@contextmanager
def installed(database_url: str = "", chart: str = CHART, profiles: Path | None = None, **more: str) -> Iterator[Release]:
    """Both namespaces admit pods of the level "restricted" only, the hub's and NGINX's included.

    `profiles`: a file with the presets. `more`: values, with `_` for the dot.
    """
    port = free_port()
    with own_namespace() as namespace, dropped(f"{namespace}-environments") as environments:
        values = {
            "baseDomain": "localhost",
            "publicUrl": f"http://localhost:{port}",
            "images.hub": os.environ["TEST_HUB_IMAGE"],
            "images.environment": os.environ["TEST_ENVIRONMENT_IMAGE"],
            "images.nginx": os.environ["TEST_NGINX_IMAGE"],
            "environments.namespace": environments,
            "environments.network.families": "{IPv4}",
            "nginx.terminationGracePeriodSeconds": "12",
            "hub.storage": "64Mi",
            "hub.resources.requests.cpu": "20m",  # several releases share a small node
            "nginx.resources.requests.cpu": "10m",
            **{name.replace("_", "."): value for name, value in more.items()},
        }
        if database_url:
            kubectl(
                "-n",
                namespace,
                "create",
                "secret",
                "generic",
                DATABASE,
                f"--from-literal=DATABASE_URL={database_url}",
            )
            values["hub.databaseSecret"] = DATABASE
        sets = [argument for name, value in values.items() for argument in ("--set", f"{name}={value}")]
        if profiles:
            sets += ["--set-file", f"hub.profiles={profiles}"]
        run("helm", "install", RELEASE, chart, "-n", namespace, *sets, "--wait", "--timeout", "300s")
        with forwarded(namespace, RELEASE, port):
            yield Release(namespace, environments, f"http://localhost:{port}")


@contextmanager
def dropped(namespace: str) -> Iterator[str]:
    """A namespace that the chart makes, and keeps when it goes."""
    try:
        yield namespace
    finally:
        client.CoreV1Api(connect(os.environ["KUBECONFIG"])).delete_namespace(namespace)

"""Images and room that are there before somebody needs them."""

import os

from tests.cluster.installed import installed
from tests.cluster.tools import run
from tests.spawners.far_side import until


def test_images_are_pulled_ahead_and_placeholders_run_below_everything_else() -> None:
    image = os.environ["TEST_ENVIRONMENT_IMAGE"]
    more = {"prePull_enabled": "true", "prePull_images": f"{{{image}}}", "placeholders_replicas": "2"}
    with installed(**more, placeholders_requests_cpu="10m", placeholders_requests_memory="16Mi") as release:
        asked = ("kubectl", "-n", release.namespace, "get", "pods", "-l", "app.kubernetes.io/component=placeholder", "-o")
        assert run(*asked, "jsonpath={.items[*].spec.priority}").split() == ["-10", "-10"]
        until(lambda: run(*asked, "jsonpath={.items[*].status.phase}").split() == ["Running", "Running"])
        daemon = ("kubectl", "-n", release.namespace, "get", "daemonset", "podium-pre-pull", "-o")
        ready = "jsonpath={.status.numberReady}/{.status.desiredNumberScheduled}"
        until(lambda: run(*daemon, ready) in {"1/1", "2/2", "3/3"})

"""Images and room that are there before somebody needs them."""

import os
import subprocess

from tests.cluster.installed import CHART, RELEASE, installed
from tests.cluster.tools import command, kubectl
from tests.spawners.far_side import until


def test_images_are_pulled_ahead_and_placeholders_run_below_everything_else() -> None:
    image = os.environ["TEST_ENVIRONMENT_IMAGE"]
    with installed(
        prePull_enabled="true",
        prePull_images=f"{{{image}}}",
        placeholders_replicas="2",
        placeholders_requests_cpu="10m",
        placeholders_requests_memory="16Mi",
    ) as release:
        asked = ("-n", release.namespace, "get", "pods", "-l", "app.kubernetes.io/component=placeholder", "-o")
        assert kubectl(*asked, "jsonpath={.items[*].spec.priority}").split() == ["-10", "-10"]
        until(lambda: kubectl(*asked, "jsonpath={.items[*].status.phase}").split() == ["Running", "Running"])
        daemon = ("-n", release.namespace, "get", "daemonset", "podium-pre-pull", "-o")
        ready = "jsonpath={.status.numberReady}/{.status.desiredNumberScheduled}"
        until(lambda: kubectl(*daemon, ready) in {"1/1", "2/2", "3/3"})


def test_an_upgrade_begins_when_every_node_has_the_images_and_changes_nothing_where_one_cannot_be_had() -> None:
    with installed(prePull_enabled="true", prePull_waitSeconds="120") as release:
        asked = ("-n", release.namespace, "get", "daemonset,job,role,serviceaccount", "-o", "name")
        assert "pull-first" not in kubectl(*asked)
        values = ("--set", "images.environment=podium/nobody-has-it:1", "--set", "prePull.waitSeconds=3")
        upgrade = command("helm", "upgrade", RELEASE, CHART, "-n", release.namespace, "--reuse-values", *values)
        done = subprocess.run(upgrade, capture_output=True, text=True, check=False)
        assert done.returncode != 0
        wait = ("-n", release.namespace, "logs", "-l", "app.kubernetes.io/component=pull-first-wait")
        assert "nodes have the images. Look at the pods of the DaemonSet podium-pull-first. Nothing was changed." in kubectl(
            *wait
        )
        hub = ("-n", release.namespace, "get", "statefulset", "podium-hub", "-o", "yaml")
        assert "nobody-has-it" not in kubectl(*hub)

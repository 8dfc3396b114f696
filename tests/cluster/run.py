"""`make test-cluster`: builds the images, gives them to a cluster, and runs the cluster's tests in its network.

CLUSTER names a command that has one at hand (`up`, `build`, `load`, `exec`, `down`, as docs/developing.md says). Without it the
tests take the cluster of KUBECONFIG, into which somebody has loaded the images; what needs the command is skipped, visibly.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hub.settings import ROOT
from tests.cluster import previous

IMAGES = {
    "TEST_HUB_IMAGE": "podium/hub:test",
    "TEST_ENVIRONMENT_IMAGE": "podium/environment:test",
    "TEST_NGINX_IMAGE": "podium/nginx:test",
    "TEST_STAND_IN_IMAGE": "podium/stand-in:test",
    "TEST_PREVIOUS_HUB_IMAGE": "podium/hub:previous",
}
TRIES = 3
ALONE = tuple(f"tests/cluster/test_{name}.py" for name in ("crash_points", "replicas", "releases", "outage"))
TESTS = ("tests/conformance", "tests/cluster", *(f"--ignore={name}" for name in ALONE))
_STAND_IN = ROOT / "build" / "stand-in"
"""Made by `make`."""


def main() -> int:
    with at_hand() as (inside, variables):
        return in_turn(inside, variables)


@contextmanager
def at_hand() -> Iterator[tuple[list[str], dict[str, str]]]:
    """A cluster with the images: what stands before a command that is to run in its network, and the variables for it."""
    cluster = os.environ.get("CLUSTER", "")
    if "/" in cluster:
        cluster = str(Path(cluster).resolve())
    if not cluster and "KUBECONFIG" not in os.environ:
        sys.exit("Name a cluster by KUBECONFIG, or a command that has one by CLUSTER; docs/developing.md says how.")
    if not cluster:
        yield [], {**IMAGES, **os.environ}
        return
    already = subprocess.run([cluster, "status"], capture_output=True, check=False).returncode == 0
    build(cluster)
    if not already:
        subprocess.run([cluster, "up"], check=True)
    try:
        load(cluster)
        yield [cluster, "exec"], {**os.environ, **IMAGES, "CLUSTER": cluster}
    finally:
        if not already:
            subprocess.run([cluster, "down"], check=True)


def build(cluster: str) -> None:
    subprocess.run(
        [cluster, "build", "podium/hub:test", "-f", ROOT / "hub" / "Dockerfile", "--target", "hub", ROOT], check=True
    )
    subprocess.run([cluster, "build", "podium/environment:test", ROOT / "user-environment"], check=True)
    subprocess.run([cluster, "build", "podium/nginx:test", ROOT / "tests" / "cluster" / "nginx"], check=True)
    subprocess.run([cluster, "build", "podium/stand-in:test", _STAND_IN], check=True)
    previous.unpack()
    before = previous.SOURCE
    subprocess.run([cluster, "build", "podium/hub:previous", "-f", before / "hub" / "Dockerfile", before], check=True)


def load(cluster: str) -> None:
    """A runtime that tidies up just then may miss a layer of an image: the next time it has it."""
    for _ in range(TRIES):
        loaded = subprocess.run([cluster, "load", *IMAGES.values()], check=False)
        if loaded.returncode == 0:
            return
    loaded.check_returncode()


def in_turn(inside: list[str], variables: dict[str, str]) -> int:
    """Most tests wait for the cluster most of the time: two at once. Then those that load all of it or take part of it away."""
    pytest = [*inside, sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--durations=10"]
    if chosen := sys.argv[1:]:
        return subprocess.call([*pytest, *chosen], env=variables)
    together = subprocess.call([*pytest, "-n", "2", "--dist", "loadfile", "--no-loadscope-reorder", *TESTS], env=variables)
    return subprocess.call([*pytest, *ALONE], env=variables) or together


if __name__ == "__main__":
    sys.exit(main())

"""`make test-cluster`: builds the images, gives them to a cluster, and runs the cluster's tests in its network.

CLUSTER names a command that has one at hand (`up`, `build`, `load`, `exec`, `down`, as docs/developing.md says). Without it the
tests take the cluster of KUBECONFIG, into which somebody has loaded the images; what needs the command is skipped, visibly.
"""

import os
import subprocess
import sys
from pathlib import Path

from hub.settings import ROOT

IMAGES = {
    "TEST_HUB_IMAGE": "podium/hub:test",
    "TEST_ENVIRONMENT_IMAGE": "podium/environment:test",
    "TEST_NGINX_IMAGE": "podium/nginx:test",
    "TEST_STAND_IN_IMAGE": "podium/stand-in:test",
}
ALONE = "tests/cluster/test_outage.py"
TESTS = ("tests/conformance", "tests/cluster", f"--ignore={ALONE}")
_STAND_IN = ROOT / "build" / "stand-in"
"""Made by `make`."""


def main() -> int:
    cluster = os.environ.get("CLUSTER", "")
    if cluster:
        return with_command(str(Path(cluster).resolve()) if "/" in cluster else cluster)
    if "KUBECONFIG" not in os.environ:
        print("Name a cluster by KUBECONFIG, or a command that has one by CLUSTER; docs/developing.md says how.")  # noqa: T201
        return 2
    return in_turn([], {**IMAGES, **os.environ})


def with_command(cluster: str) -> int:
    already = subprocess.run([cluster, "status"], capture_output=True, check=False).returncode == 0
    build(cluster)
    if not already:
        subprocess.run([cluster, "up"], check=True)
    try:
        subprocess.run([cluster, "load", *IMAGES.values()], check=True)
        return in_turn([cluster, "exec"], {**os.environ, **IMAGES, "CLUSTER": cluster})
    finally:
        if not already:
            subprocess.run([cluster, "down"], check=True)


def build(cluster: str) -> None:
    subprocess.run([cluster, "build", "podium/hub:test", "-f", ROOT / "hub" / "Dockerfile", ROOT], check=True)
    subprocess.run([cluster, "build", "podium/environment:test", ROOT / "user-environment"], check=True)
    subprocess.run([cluster, "build", "podium/nginx:test", ROOT / "tests" / "cluster" / "nginx"], check=True)
    subprocess.run([cluster, "build", "podium/stand-in:test", _STAND_IN], check=True)


def in_turn(inside: list[str], variables: dict[str, str]) -> int:
    """Most tests wait for the cluster most of the time, so two at once; then those that take a part of it away."""
    pytest = [*inside, sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--durations=10"]
    if chosen := sys.argv[1:]:
        return subprocess.call([*pytest, *chosen], env=variables)
    together = subprocess.call([*pytest, "-n", "2", "--dist", "loadfile", "--no-loadscope-reorder", *TESTS], env=variables)
    return subprocess.call([*pytest, ALONE], env=variables) or together


if __name__ == "__main__":
    sys.exit(main())

"""`make test-compose`: builds the image of compose.yml, gives it to a Docker engine, and runs the tests in its network.

ENGINE names a command that has an engine at hand (`up`, `load`, `exec`, `down`) and CLUSTER one that builds images, as
docs/developing.md says. Without them the engine of DOCKER_HOST builds them, and the tests run beside it.
"""

import os
import subprocess
import sys
from pathlib import Path

from hub.settings import ROOT

IMAGES = {"TEST_MACHINE_IMAGE": "podium/machine:test", "TEST_NGINX_IMAGE": "podium/nginx:test"}
POSTGRESQL = "postgres:17"
_MACHINE: list[str | Path] = ["podium/machine:test", "-f", ROOT / "hub" / "Dockerfile", "--target", "machine", ROOT]
_NGINX: list[str | Path] = ["podium/nginx:test", ROOT / "tests" / "cluster" / "nginx"]


def main() -> int:
    engine, builder = (_command(name) for name in ("ENGINE", "CLUSTER"))
    tests = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--durations=10", *(sys.argv[1:] or ["tests/compose"])]
    if not engine or not builder:
        for image in (_MACHINE, _NGINX):
            subprocess.run(["docker", "build", "-t", *image], check=True)
        return subprocess.call(tests, env={**os.environ, **IMAGES})
    for image in (_MACHINE, _NGINX):
        subprocess.run([builder, "build", *image], check=True)
    subprocess.run([builder, "base-image", POSTGRESQL], check=True)
    subprocess.run([engine, "up"], check=True)
    try:
        subprocess.run([engine, "load", *IMAGES.values(), POSTGRESQL], check=True)
        named = {name: f"localhost/{image}" for name, image in IMAGES.items()}
        return subprocess.call([engine, "exec", *tests], env={**os.environ, **named})
    finally:
        subprocess.run([engine, "down"], check=True)


def _command(name: str) -> str:
    told = os.environ.get(name, "")
    return str(Path(told).resolve()) if "/" in told else told


if __name__ == "__main__":
    sys.exit(main())

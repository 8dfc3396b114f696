"""`make bench-cluster`: brings a cluster with the images, and a KubeSpawner to measure beside, and measures."""

import subprocess
import sys
import venv

from hub.settings import ROOT
from tests.cluster.run import at_hand

KUBESPAWNER = ROOT / "build" / "kubespawner"
PACKAGES = ("jupyterhub==6.1.1", "jupyterhub-kubespawner==7.1.0")


def main() -> int:
    python = KUBESPAWNER / "bin" / "python"
    venv.create(KUBESPAWNER, with_pip=True)
    subprocess.run([python, "-m", "pip", "install", "--quiet", *PACKAGES], check=True)
    with at_hand() as (inside, variables):
        return subprocess.call(
            [*inside, sys.executable, "-m", "tests.bench.cluster"], env={**variables, "BENCH_KUBESPAWNER": str(python)}
        )


if __name__ == "__main__":
    sys.exit(main())

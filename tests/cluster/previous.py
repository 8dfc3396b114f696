"""The release before this one, taken out of the repository's history: its chart, and what its images are built from.

`python -m tests.cluster.previous` unpacks it. `COMMIT` is where that release was tagged; whoever makes a release names here the
one that goes before the next.
"""

import shutil
import subprocess

from hub.settings import ROOT

COMMIT = "1e508130e0387900529bd3fa6e5457da69dab747"
SOURCE = ROOT / "build" / "previous"
CHART = SOURCE / "helm" / "podium"


def unpack() -> None:
    """Into `SOURCE`."""
    if subprocess.run(["git", "cat-file", "-e", COMMIT], cwd=ROOT, capture_output=True, check=False).returncode:
        subprocess.run(["git", "fetch", "--quiet", "origin", COMMIT], cwd=ROOT, check=True)  # a clone without its history
    shutil.rmtree(SOURCE, ignore_errors=True)
    SOURCE.mkdir(parents=True)
    archive = subprocess.run(["git", "archive", COMMIT], cwd=ROOT, capture_output=True, check=True).stdout
    subprocess.run(["tar", "--extract", "--directory", SOURCE], input=archive, check=True)


if __name__ == "__main__":
    unpack()

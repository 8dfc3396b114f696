"""`doctor`: checks an installation and says what to do. It changes nothing and needs no running hub."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from hub import far_side
from hub.datafolder import prepare
from hub.environments.catalog import Catalog
from hub.errors import PodiumError
from hub.seam import crossing
from hub.settings import Settings
from hub.spawners.local import launch
from hub.spawners.local.limits import limits_in_force

_NEEDED = "import streamlit, uvicorn, jwt, cryptography, pandas, plotly, pyarrow, duckdb"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    good: bool
    text: str


def examine(settings: Settings) -> list[Finding]:
    """Everything that a start depends on, and what holds on this machine."""
    return [
        _data_folder(settings),
        _hub(settings),
        *(_of_cluster(settings) if settings.spawner == "kubernetes" else _of_this_machine(settings)),
    ]


def _of_this_machine(settings: Settings) -> list[Finding]:
    return [
        *(_interpreter(path) for path in Catalog(settings).interpreters),
        _agent(settings),
        _limits(settings),
        *_isolation(settings),
    ]


def _of_cluster(settings: Settings) -> list[Finding]:
    home = far_side.connect(settings)
    try:
        running = len(home.spawner.observe())
    except PodiumError:
        return [Finding(good=False, text=f"The cluster does not show what runs in {settings.namespace}. Check KUBECONFIG.")]
    return [
        Finding(good=True, text=f"The cluster answers and knows {running} environments."),
        Finding(good=True, text=home.isolation()),
    ]


def _data_folder(settings: Settings) -> Finding:
    try:
        folder = prepare(settings.data_dir)
    except PodiumError as error:
        return Finding(good=False, text=error.sentence)
    return Finding(good=True, text=f"The data folder {folder.path} can be written.")


def _interpreter(path: Path) -> Finding:
    try:
        with crossing("ask interpreter"):
            asked = subprocess.run([path, "-c", _NEEDED], capture_output=True, text=True, timeout=60, check=False)  # noqa: S603
    except OSError as error:
        return Finding(good=False, text=f"{path} cannot be started: {error.strerror}. Run: make up")
    if asked.returncode == 0:
        return Finding(good=True, text=f"Environments run with {path}.")
    missing = asked.stderr.strip().splitlines()[-1:] or ["it ended without a word"]
    return Finding(good=False, text=f"{path} lacks what an environment needs ({missing[0]}). Run: make up")


def _hub(settings: Settings) -> Finding:
    pid = prepare(settings.data_dir).holder()
    return Finding(good=True, text=f"The hub runs as process {pid}." if pid else "No hub runs. Start it with: make up")


def _limits(settings: Settings) -> Finding:
    """As the agent found them, which alone knows what holds the disk; else as one would that this account starts."""
    try:
        return Finding(good=True, text=launch.connect(settings).about()["limits"])
    except PodiumError:
        return Finding(good=True, text=limits_in_force().sentence())


def _isolation(settings: Settings) -> list[Finding]:
    """Tried anew by each agent that starts, so only one that runs can say."""
    try:
        return [Finding(good=True, text=launch.connect(settings).isolation())]
    except PodiumError:
        return []


def _agent(settings: Settings) -> Finding:
    try:
        running = len(launch.connect(settings).observe())
    except PodiumError:
        return Finding(good=True, text="The agent that runs environments is not running; `make up` starts it.")
    return Finding(good=True, text=f"The agent that runs environments answers and knows {running} of them.")

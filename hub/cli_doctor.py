"""`doctor`: checks an installation and says what to do. It changes nothing and needs no running hub."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from hub import far_side
from hub.datafolder import look_at
from hub.environments.catalog import Catalog
from hub.errors import ClusterSilent, PodiumError
from hub.seam import crossing
from hub.settings import Settings
from hub.spawners.local import launch
from hub.spawners.local.client import LocalSpawner
from hub.spawners.local.connection import NobodyAnswers
from hub.spawners.local.folders import folders_at
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
        *_data_folder(settings),
        *(_of_cluster(settings) if settings.spawner == "kubernetes" else _of_this_machine(settings)),
    ]


def _of_this_machine(settings: Settings) -> list[Finding]:
    """Interpreters of a service elsewhere are its own, and may be no file here."""
    own = Catalog(settings).interpreters if settings.local_agent == "own" else ()
    return [*(_interpreter(path) for path in own), *_agent(settings)]


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


def _data_folder(settings: Settings) -> list[Finding]:
    """And the hub that holds it."""
    try:
        folder = look_at(settings.data_dir)
        pid = folder.holder()
    except PodiumError as error:
        return [Finding(good=False, text=error.sentence)]
    return [
        Finding(good=True, text=f"The data folder {folder.path} can be written."),
        Finding(good=True, text=f"The hub runs as process {pid}." if pid else "No hub runs. Start it with: make up"),
    ]


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


def _agent(settings: Settings) -> list[Finding]:
    try:
        agent = launch.find(settings)
        return _told_by(agent) if agent else _without_agent(settings)
    except NobodyAnswers:
        return _without_agent(settings)
    except ClusterSilent:
        return [Finding(good=False, text=f"The agent that runs environments answers too late or not well. {_log(settings)}")]
    except PodiumError as error:
        return [Finding(good=False, text=error.sentence)]


def _told_by(agent: LocalSpawner) -> list[Finding]:
    """The agent alone knows what holds the disk and how far environments are kept apart: it tries it when it starts."""
    running = len(agent.observe())
    return [
        Finding(good=True, text=f"The agent that runs environments answers and knows {running} of them."),
        Finding(good=True, text=agent.about()["limits"]),
        Finding(good=True, text=agent.isolation()),
    ]


def _without_agent(settings: Settings) -> list[Finding]:
    """The limits are then as an agent would find them that this account starts."""
    if settings.local_agent == "elsewhere":
        text = "The service that runs environments does not answer. Start it: docker compose up --detach environments"
        return [Finding(good=False, text=text)]
    return [
        Finding(good=True, text="The agent that runs environments is not running; `make up` starts it."),
        Finding(good=True, text=limits_in_force().sentence()),
    ]


def _log(settings: Settings) -> str:
    if settings.local_agent == "elsewhere":
        return "See: docker compose logs environments"
    return f"See: {folders_at(settings.data_dir).agent_log}"

"""`down`: everything that runs is wanted to stop, then the hub ends, then the agent."""

import os
import signal
import time
from collections.abc import Callable

from sqlalchemy import update
from sqlmodel import col

from hub.audit.service import record
from hub.clusters.model import LOCAL
from hub.datafolder import DataFolder
from hub.environments.model import Environment, Target
from hub.errors import CannotStart
from hub.seam import crossing
from hub.services import Services
from hub.settings import Settings
from hub.spawners.local import launch
from hub.up import open_services

PATIENCE_SECONDS = 15


def down(settings: Settings, say: Callable[[str], None]) -> None:
    """End it all. May be killed at any line and called again; workspaces are not touched. Raises `CannotStart`."""
    if settings.spawner == "kubernetes":
        raise CannotStart("On Kubernetes nothing would end the pods once the hub is gone. Stop environments on the page first.")
    if settings.local_agent == "elsewhere":
        raise CannotStart("Another service runs the environments here: end that one (docker compose down).")
    services = open_services(settings)
    try:
        _want_nothing(services)
        _end_hub(services.folder)
    finally:
        services.database.close()
    launch.stop_agent(settings)
    say("Podium has ended, and so has every environment. Workspaces are kept.")


def _want_nothing(services: Services) -> None:
    """The hub that comes next finds them stopped, not lost."""
    with services.database.writing("down") as session:
        changed = session.execute(
            update(Environment).where(col(Environment.target) == Target.RUNNING).values(target=Target.STOPPED)
        )
        record(session, None, "everything stopped", LOCAL, count=str(changed.rowcount))  # type: ignore[attr-defined]


def _end_hub(folder: DataFolder) -> None:
    pid = folder.holder()
    if pid is None:
        return
    descriptor = os.pidfd_open(pid)
    try:
        with crossing("end hub"):
            signal.pidfd_send_signal(descriptor, signal.SIGTERM)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while folder.holder() == pid and time.monotonic() < deadline:
            time.sleep(0.05)
    finally:
        os.close(descriptor)

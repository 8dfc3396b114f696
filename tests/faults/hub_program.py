"""What a real hub is given for crash tests: an observer on the seam, and a thread that obeys the test.

Commands call the services of the running hub, as a page's click does, so their commits happen in the process that is killed.
An answer is sent when the service has returned: what has been answered was acknowledged to the person.
"""

import json
import logging
import os
import socket
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from hub import services as composition
from hub.asgi import create_app
from hub.clock import now
from hub.environments.launching import LaunchOrder
from hub.errors import PodiumError
from hub.identity.person import Person
from hub.identity.roles import Role
from hub.server import listen, serve
from hub.services import Services
from hub.settings import ROOT, Settings
from hub.up import open_services, up
from tests.faults import observer

INJECT = ROOT / "tests" / "faults" / "inject"


def become_hub(request: dict[str, Any], link: socket.socket) -> int:
    """Serve as `up` does, or as a further replica over the agent that runs; the exit code."""
    _write_to(Path(request["log"]))
    os.environ.update(CRASH_FOLDER=request["crash"], PYTHONPATH=f"{INJECT}{os.pathsep}{ROOT}")
    observer.install("hub", Path(request["crash"]))
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    threading.Thread(target=_obey, args=(link,), daemon=True).start()
    settings = Settings.model_validate(request["settings"])
    try:
        (_serve_beside if request["replica"] else _serve_alone)(settings)
    except PodiumError as error:
        _tell(link, {"ended": error.sentence})
        return 1
    return 0


def _serve_alone(settings: Settings) -> None:
    up(settings, logging.getLogger("up").warning)


def _serve_beside(settings: Settings) -> None:
    """A replica: `up` itself admits one hub to a data folder, which is where this machine's agent lies."""
    services = open_services(settings)
    serve(create_app(services), listen(settings.host, 0))


def _write_to(log: Path) -> None:
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.close(descriptor)


def _obey(link: socket.socket) -> None:
    while not composition._current:
        time.sleep(0.005)
    services = composition.current()
    _tell(link, {"serves": os.getpid()})
    while message := link.recv(65536):
        _tell(link, _answer(services, json.loads(message)))


def _tell(link: socket.socket, message: dict[str, Any]) -> None:
    link.send(json.dumps(message).encode())


def _answer(services: Services, request: dict[str, Any]) -> dict[str, Any]:
    try:
        return {"done": _ACTS[request["act"]](services, _person(request["user"]), request["on"])}
    except PodiumError as error:
        return {"refused": type(error).__name__, "sentence": error.sentence}


def _person(user_id: str) -> Person:
    return Person(user_id, "ada", "Ada", None, Role.USER, "0" * 32, now() + timedelta(hours=8))


def _delete(services: Services, person: Person, on: str, *, with_workspace: bool) -> None:
    name = services.environments.get(person, on).name
    services.environments.delete(person, on, name, with_workspace=with_workspace)


def _delete_workspace(services: Services, person: Person, on: str) -> None:
    name = next((view.name for view in services.workspaces.search(person)[0] if view.id == on), "gone")
    services.workspaces.delete(person, on, name)


def _disable(services: Services, person: Person, _on: str) -> None:
    services.identity.disable(person.user_id)
    services.environments.wake()


_ACTS: dict[str, Callable[[Services, Person, str], str | None]] = {
    "launch": lambda services, person, name: services.environments.launch(person, LaunchOrder(name, "Light")).id,
    "relaunch": lambda services, person, on: services.environments.relaunch(person, on),
    "stop": lambda services, person, on: services.environments.stop(person, on),
    "restart": lambda services, person, on: services.environments.restart(person, on),
    "delete": lambda services, person, on: _delete(services, person, on, with_workspace=False),
    "delete with workspace": lambda services, person, on: _delete(services, person, on, with_workspace=True),
    "create workspace": lambda services, person, name: services.workspaces.create(person, name),
    "delete workspace": _delete_workspace,
    "disable": _disable,
}

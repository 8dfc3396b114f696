"""`up`: from settings to a served hub, step by step, each with one clear sentence if it cannot be."""

import gc
import os
import resource
import socket
from collections.abc import Callable
from dataclasses import dataclass

from hub import far_side
from hub import services as composition
from hub.database import Database
from hub.datafolder import DataFolder, prepare
from hub.environments.launching import count_live
from hub.environments.model import LIVE
from hub.migrate import migrate
from hub.server import listen, serve
from hub.services import Services
from hub.settings import ROOT, Settings


@dataclass(frozen=True)
class Prepared:
    """Everything that is ready before the first request."""

    services: Services
    listener: socket.socket


def open_services(settings: Settings) -> Services:
    """Services over a migrated database, without a server: for `up` and for commands. Raises `CannotStart`."""
    folder = prepare(settings.data_dir)
    database = _database(settings, folder)
    return composition.build(settings, folder, database, far_side.connect(settings))


def get_ready(settings: Settings) -> Prepared:
    """Hold the folder, take the port, migrate, reach where environments run. Raises `CannotStart`."""
    folder = prepare(settings.data_dir)
    settings = settings.model_copy(update={"data_dir": folder.path})
    folder.hold()
    listener = listen(settings.host, settings.port)
    settings = settings.model_copy(update={"port": listener.getsockname()[1]})
    folder.name_holder(settings.root_url)
    database = _database(settings, folder)
    composition.check(settings, folder, database)
    return Prepared(composition.build(settings, folder, database, far_side.ensure(settings)), listener)


def up(settings: Settings, say: Callable[[str], None]) -> None:
    """Serve in the foreground until Ctrl-C; environments are left running."""
    os.chdir(ROOT)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # a tab holds two connections, and many people have many
    prepared = get_ready(settings)
    from hub.asgi import create_app  # noqa: PLC0415 - Streamlit reads its configuration at import, from the folder changed to

    app = create_app(prepared.services)
    for line in greeting(prepared.services):
        say(line)
    gc.freeze()
    gc.enable()  # which `python -m hub` turned off
    serve(app, prepared.listener)
    for line in farewell(prepared.services):
        say(line)


def greeting(services: Services) -> list[str]:
    """Where to go, where the data lies, how far environments are kept apart; and the first link."""
    settings = services.settings
    lines = [f"Podium is at {settings.root_url}"]
    token = services.identity.first_administrator_link()
    if token:
        lines.append(
            f"First administrator, set your name and password here (works once): {settings.root_url}/set-password?link={token}"
        )
    if settings.routing == "path":
        lines.append(
            "ROUTING=path: an environment's code acts with the rights of whoever opens it, so only its owner may open it."
        )
    if not settings.secure_cookies:
        lines.append("The address is neither https nor localhost: cookies travel unprotected. Put a proxy with TLS in front.")
    return [*lines, f"Data lies in {services.folder.path}", services.home.isolation()]


def farewell(services: Services) -> list[str]:
    """What goes on without the hub, and how to end it."""
    with services.database.reading() as session:
        live = sum(count for phase, count in count_live(session).items() if phase in LIVE)
    if not live:
        return ["The hub has ended. Nothing runs any more."]
    return [f"The hub has ended. Environments left running: {live}. `make up` takes them back, `make down` ends them."]


def _database(settings: Settings, folder: DataFolder) -> Database:
    if not settings.database_url:
        folder.close_database()
    database = Database(settings.database)
    migrate(database, folder.backups)
    return database

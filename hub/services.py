"""All services of a hub, built once from the settings and the data folder.

Streamlit runs pages as scripts that nobody passes anything to, so the ones in use are found
through `current`. Everything else is handed what it needs.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from hub.clusters.service import register_local
from hub.database import Database
from hub.datafolder import DataFolder
from hub.environments.catalog import Catalog
from hub.environments.controller import Controller
from hub.environments.service import Environments
from hub.environments.specs import SpecBuilder
from hub.identity.service import IdentityService
from hub.identity.sessions import Sessions
from hub.routing.addresses import Addresses
from hub.routing.keys import SigningKeys
from hub.settings import Settings
from hub.spawners.base import Spawner
from hub.workspaces.keeper import Keeper
from hub.workspaces.service import Workspaces

CREDENTIAL = "proxy"
"""The name of the file, in the data folder, with what this machine's proxy shows to the hub."""


@dataclass(frozen=True)
class Services:
    """What pages, routes and commands call."""

    settings: Settings
    folder: DataFolder
    database: Database
    addresses: Addresses
    keys: SigningKeys
    identity: IdentityService
    environments: Environments
    workspaces: Workspaces
    controller: Controller
    keeper: Keeper
    spawners: Mapping[str, Spawner]

    @property
    def sessions(self) -> Sessions:
        return self.identity.sessions

    @property
    def credential(self) -> str:
        """What this machine's proxy shows to `/routing/authorize`."""
        return self.folder.secret(CREDENTIAL)


_current: list[Services] = []


def current() -> Services:
    """The services of this process's hub."""
    return _current[-1]


def use(services: Services) -> None:
    """Make them the ones that pages find."""
    _current[:] = [services]


def build(settings: Settings, folder: DataFolder, database: Database, spawners: Mapping[str, Spawner]) -> Services:
    """Put the services together. The database must have this version's schema."""
    register_local(database, settings.environments_host, folder.secret(CREDENTIAL))
    keys = SigningKeys(database, hashlib.sha256((settings.secret_key or folder.secret("master")).encode()).digest())
    keys.ensure()
    controller = Controller(database, spawners, SpecBuilder(database, settings, keys), keys)
    keeper = Keeper(database, spawners)
    environments = Environments(database, settings, Catalog(settings), spawners, controller.wake)
    lifetime = timedelta(hours=settings.token_expire_hours)
    return Services(
        settings=settings,
        folder=folder,
        database=database,
        addresses=Addresses.of(settings),
        keys=keys,
        identity=IdentityService(database, lifetime, environments.stop_all_of),
        environments=environments,
        workspaces=Workspaces(database, spawners, keeper.news.set),
        controller=controller,
        keeper=keeper,
        spawners=spawners,
    )

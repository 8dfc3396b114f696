"""All services of a hub, built once from the settings and the data folder.

Streamlit runs pages as scripts that nobody passes anything to, so the ones in use are found
through `current`. Everything else is handed what it needs.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from hub import far_side
from hub.audit.service import Audit
from hub.clusters.further import domains
from hub.clusters.overview import Overview
from hub.clusters.service import credential_of, register, withdraw_all_but
from hub.database import Database
from hub.datafolder import DataFolder, prepare
from hub.environments.catalog import Catalog
from hub.environments.controller import Controller
from hub.environments.service import Environments
from hub.environments.specs import SpecBuilder
from hub.errors import CannotStart
from hub.far_side import FarSide
from hub.identity.api_tokens import ApiTokens
from hub.identity.oidc.access import AccessTokens
from hub.identity.oidc.providers import providers_of
from hub.identity.oidc.service import ProviderLogins
from hub.identity.service import IdentityService
from hub.identity.sessions import Sessions
from hub.routing.addresses import Addresses
from hub.routing.keys import SigningKeys
from hub.settings import Settings
from hub.settings_field import listed
from hub.spawners.base import Spawner, Spawners
from hub.workspaces.everybodys import Everybodys
from hub.workspaces.keeper import Keeper
from hub.workspaces.service import Workspaces

MASTER = "master"
"""The name of the file with the secret that seals keys where SECRET_KEY is not set."""
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
    logins: ProviderLogins
    environments: Environments
    workspaces: Workspaces
    everybodys_workspaces: Everybodys
    audit: Audit
    tokens: ApiTokens
    access_tokens: AccessTokens
    controller: Controller
    keeper: Keeper
    spawners: Mapping[str, Spawner]
    clusters: Overview
    home: FarSide

    @property
    def sessions(self) -> Sessions:
        return self.identity.sessions

    @property
    def credential(self) -> str:
        """What the home cluster's proxy shows to `/routing/authorize`."""
        return proxy_credential(self.settings, self.folder)


_current: list[Services] = []


def current() -> Services:
    """The services of this process's hub."""
    return _current[-1]


def use(services: Services) -> None:
    """Make them the ones that pages find."""
    _current[:] = [services]


def _sealing_secret(settings: Settings, folder: DataFolder, database: Database) -> str:
    """SECRET_KEY, or the one made at the first start. Raises `CannotStart` where that one is gone."""
    if settings.secret_key:
        return settings.secret_key
    if not folder.has(MASTER) and SigningKeys.exist_in(database):
        raise CannotStart(
            f"The file {folder.path / MASTER}.secret is missing, with which the keys in the database were sealed. Put it back "
            "from a backup, or set SECRET_KEY if this database was made with one."
        )
    return folder.secret(MASTER)


def _signing_keys(settings: Settings, folder: DataFolder, database: Database) -> SigningKeys:
    keys = SigningKeys(database, hashlib.sha256(_sealing_secret(settings, folder, database).encode()).digest())
    keys.ensure()
    return keys


def proxy_credential(settings: Settings, folder: DataFolder | None = None) -> str:
    """PROXY_CREDENTIAL, or the one made at the first start. Raises `CannotStart` where no folder can keep one."""
    return settings.proxy_credential or (folder or prepare(settings.data_dir)).secret(CREDENTIAL)


def check(settings: Settings, folder: DataFolder, database: Database) -> None:
    """Raises `CannotStart` for what `build` would trip over, before anything has been started for it."""
    _signing_keys(settings, folder, database)
    providers_of(settings)
    Catalog(settings)
    far_side.shown(settings, lambda: (0, 0))


def _register_clusters(settings: Settings, database: Database, home: str, credential: str) -> dict[str, str]:
    """The domains of other clusters, by id."""
    others = domains(settings.cluster_config_path, home)
    register(database, home, settings.spawner, settings.environments_host, credential)
    for cluster_id, domain in others.items():
        register(database, cluster_id, "kubernetes", domain, credential_of(cluster_id, credential))
    withdraw_all_but(database, {home, *others})
    return others


def build(settings: Settings, folder: DataFolder, database: Database, home: FarSide) -> Services:
    """Put the services together. The database must have this version's schema."""
    others = _register_clusters(settings, database, home.cluster_id, proxy_credential(settings, folder))
    spawners = Spawners({home.cluster_id: home.spawner})
    keys = _signing_keys(settings, folder, database)
    controller = Controller(database, spawners, SpecBuilder(database, settings, keys), keys)
    keeper = Keeper(database, spawners)
    environments = Environments(database, settings, Catalog(settings), spawners, home.cluster_id, controller)
    identity = IdentityService(
        database, timedelta(hours=settings.token_expire_hours), environments.stop_all_of, local_accounts=settings.local_accounts
    )
    logins = ProviderLogins(database, identity.sessions, providers_of(settings), settings.root_url)
    return Services(
        settings=settings,
        folder=folder,
        database=database,
        addresses=Addresses.of(settings, others),
        keys=keys,
        identity=identity,
        logins=logins,
        environments=environments,
        workspaces=Workspaces(database, spawners, home.cluster_id, keeper.news.set),
        everybodys_workspaces=Everybodys(database, spawners),
        audit=Audit(database),
        tokens=ApiTokens(database),
        access_tokens=AccessTokens(database, logins.clients, listed(settings.api_audiences)),
        controller=controller,
        keeper=keeper,
        spawners=spawners,
        clusters=Overview(far_side.shown(settings, lambda: environments.requested(home.cluster_id))),
        home=home,
    )

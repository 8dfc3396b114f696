"""The parts of routing, put together once for a process."""

from dataclasses import dataclass

from hub.database import Database
from hub.identity.cookies import cookie_name
from hub.identity.sessions import Sessions
from hub.routing import revocation
from hub.routing.addresses import Addresses
from hub.routing.asking import Asking
from hub.routing.assets import Assets
from hub.routing.authorize import Authorize
from hub.routing.callers import Callers
from hub.routing.decisions import Decisions, Environments
from hub.routing.doors import Doors
from hub.routing.entrance import Entrance
from hub.routing.entry import Entries, HubSessions
from hub.routing.gateway import Gateway
from hub.routing.hub_side import HubSide
from hub.routing.keys import SigningKeys
from hub.routing.upstreams import Upstreams
from hub.settings import Settings

LOGIN = "/login"


@dataclass(frozen=True)
class Routing:
    """What `RoutingApp` and the hub's other parts use of routing. `close` when the process is done with it."""

    addresses: Addresses
    assets: Assets
    keys: SigningKeys
    decisions: Decisions
    entries: Entries
    doors: Doors
    gateway: Gateway
    entrance: Entrance
    hub_side: HubSide
    upstreams: Upstreams

    @classmethod
    def build(
        cls,
        settings: Settings,
        addresses: Addresses,
        database: Database,
        keys: SigningKeys,
        sessions: Sessions,
        environments: Environments,
        assets: Assets,
    ) -> "Routing":
        login = f"{addresses.root}{LOGIN}"
        entries = Entries(database, sessions)
        decisions = Decisions(environments, entries if addresses.by_host else HubSessions(sessions), keys)
        doors = Doors(settings, addresses, environments, login)
        upstreams, asking = Upstreams(), Asking(decisions)
        gateway = Gateway(
            decisions, asking, doors, upstreams, cookie_name(settings, "entry" if addresses.by_host else "session")
        )
        entrance = Entrance(settings, addresses, environments, entries, asking, gateway, doors)
        authorize = Authorize(Callers(database), asking)
        hub_side = HubSide(settings, addresses, sessions, environments, entries, authorize, gateway, doors, login)
        revocation.listeners.append(decisions.forget)
        return cls(addresses, assets, keys, decisions, entries, doors, gateway, entrance, hub_side, upstreams)

    def close(self) -> None:
        """Stop listening for ended sessions."""
        revocation.listeners.remove(self.decisions.forget)

"""A hub with people, environments in every phase, and echoes for what runs in them."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from environment.keys import KeyRing
from environment.shim import Shim
from sqlmodel import Session, col, select, update
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from hub.clock import now
from hub.clusters.model import LOCAL, Cluster
from hub.database import Database
from hub.environments.model import Environment, Phase, Start, Target
from hub.environments.views import EnvironmentView, by_slugs
from hub.errors import DatabaseSilent, LimitReached
from hub.identity.cookies import cookie_name, set_cookie
from hub.identity.model import LoginSession, User
from hub.identity.person import Person
from hub.identity.sessions import Sessions
from hub.identity.tokens import digest
from hub.routing.addresses import Addresses
from hub.routing.app import RoutingApp
from hub.routing.assets import Assets
from hub.routing.keys import SigningKeys
from hub.routing.own_nginx import OwnNginx
from hub.routing.service import Routing
from hub.settings import Settings
from hub.workspaces.model import Workspace

SECRET = b"a secret for tests that nobody has to guess"
CREDENTIAL = "the-credential-of-the-local-cluster"
STREAMLIT = Path(__file__).parent / "streamlit"
"""A Streamlit that has one file."""
ASSET = "/static/js/index.AbCd_123.js"
STEPS = ("workspace ready", "process started", "ready")


class SilentDatabase(Database):
    """A database that falls silent when told to."""

    silent = False

    @contextmanager
    def reading(self) -> Iterator[Session]:
        if self.silent:
            raise DatabaseSilent
        with super().reading() as session:
            yield session

    @contextmanager
    def writing(self, what: str) -> Iterator[Session]:
        if self.silent:
            raise DatabaseSilent
        with super().writing(what) as session:
            yield session


class RowEnvironments:
    """What routing needs of environments, straight from their rows."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.full = False

    def for_routing(self, slugs: Collection[str]) -> dict[str, EnvironmentView]:
        with self._database.reading() as session:
            return by_slugs(session, slugs)

    def relaunch(self, person: Person, environment_id: str) -> None:
        if self.full:
            raise LimitReached("You have 1 of 1 environments running. Stop one first.")
        with self._database.writing("relaunch") as session:
            owned = (col(Environment.id) == environment_id, col(Environment.owner_id) == person.user_id)
            session.execute(update(Environment).where(*owned).values(target=Target.RUNNING, phase=Phase.STARTING))

    def checkpoints(self, view: EnvironmentView) -> tuple[str, ...]:
        return STEPS if view.slug else ()


@dataclass
class World:
    settings: Settings
    database: SilentDatabase
    sessions: Sessions
    environments: RowEnvironments
    keys: SigningKeys
    routing: Routing
    app: ASGIApp = field(init=False)

    def __post_init__(self) -> None:
        routed = RoutingApp(_hub_app(self.settings), self.routing)
        self.app = OwnNginx(routed, CREDENTIAL, self.routing.addresses.others)

    @classmethod
    def build(cls, settings: Settings, database_url: str, others: dict[str, str] | None = None) -> "World":
        """`others`: the domains of other clusters, by id."""
        database = SilentDatabase(database_url)
        sessions = Sessions(database, timedelta(hours=8))
        environments, keys = RowEnvironments(database), SigningKeys(database, SECRET)
        keys.ensure()
        addresses, assets = Addresses.of(settings, others), Assets.of(STREAMLIT)
        routing = Routing.build(settings, addresses, database, keys, sessions, environments, assets)
        with database.writing("cluster") as session:
            session.merge(Cluster(id=LOCAL, kind="local", environments_domain="localhost", credential_hash=digest(CREDENTIAL)))
        return cls(settings, database, sessions, environments, keys, routing)

    def close(self) -> None:
        self.routing.close()
        self.database.close()

    def user(self, name: str) -> str:
        """A user's id; made at the first mention."""
        with self.database.writing("user") as session:
            known = session.exec(select(User).where(User.name == name)).first()
            if known:
                return known.id
            user = User(name=name, display_name=name.title(), email=f"{name}@example.org")
            session.add(user)
        return user.id

    def login(self, name: str, lasts: timedelta | None = None) -> tuple[str, Person]:
        """A session's cookie value and its person."""
        token = self.sessions.open(self.user(name), "127.0.0.1", "test")
        if lasts is not None:
            with self.database.writing("shorter session") as session:
                mine = col(LoginSession.token_hash) == digest(token)
                session.execute(update(LoginSession).where(mine).values(expires_at=now() + lasts))
        person = self.sessions.resolve(token)
        assert person is not None
        return token, person

    def environment(self, slug: str, owner: str, upstream: str | None = None, **changes: Any) -> Environment:
        """Runs at `upstream`, or is in the phase that is named."""
        owner_id = self.user(owner)
        values: dict[str, Any] = {"phase": Phase.RUNNING, "target": Target.RUNNING, **changes}
        workspace = Workspace(owner_id=owner_id, name=slug, cluster_id=LOCAL)
        environment = Environment(
            slug=slug,
            owner_id=owner_id,
            name=slug.replace("-", " "),
            profile="Light",
            image="python",
            cpu_limit=1,
            cpu_request=0.1,
            memory_limit=1,
            memory_request=1,
            storage=1,
            workspace_id=workspace.id,
            cluster_id=LOCAL,
            **values,
        )
        start = Start(
            environment_id=environment.id, generation=1, image="python", key_id=self.keys.current_kid(), upstream=upstream
        )
        start.checkpoints = [{"name": STEPS[0], "at": now().isoformat(), "detail": ""}]
        environment.start_id = start.id
        with self.database.writing("environment") as session:
            for row in (workspace, environment, start):
                session.add(row)
                session.flush()
        return environment

    def view(self, slug: str) -> EnvironmentView:
        return self.environments.for_routing([slug])[slug]

    def start(self, environment: Environment) -> Start:
        with self.database.reading() as session:
            start = session.get(Start, environment.start_id)
        assert start is not None
        return start

    def change(self, environment: Environment, **changes: object) -> None:
        with self.database.writing("change") as session:
            session.execute(update(Environment).where(col(Environment.id) == environment.id).values(**changes))

    def cookie(self, person: Person, session_token: str, environment: Environment) -> str:
        """The Cookie header with which this person enters the environment."""
        if not self.routing.addresses.by_host:
            return f"{cookie_name(self.settings, 'session')}={session_token}"
        nonce = "n" * 43
        code = self.routing.entries.code(person, environment.id, digest(nonce))
        token, _ = self.routing.entries.redeem(environment.slug, code, nonce)
        return f"{cookie_name(self.settings, 'entry')}={token}"

    def guarded(self, app: ASGIApp, environment: Environment) -> ASGIApp:
        """The environment's real shim in front of an app."""
        assert environment.start_id is not None
        ring = KeyRing(environment.start_id, self.keys.public_set())
        return Shim(app, environment.start_id, ring, self.routing.addresses.prefix(environment.slug))


async def _hub_page(request: Request) -> Response:
    return PlainTextResponse(f"hub {request.url.path}", headers={"X-Hub-Page": "1"})


def _hub_app(settings: Settings) -> ASGIApp:
    """A hub that answers every path with 200, as Streamlit does. /log-in sets the session's cookie to its query."""

    async def log_in(request: Request) -> Response:
        return PlainTextResponse("logged in", headers={"Set-Cookie": set_cookie(settings, "session", request.url.query)})

    static = Route("/static/{rest:path}", lambda _: PlainTextResponse("no such file", 404))
    everything = Route("/{rest:path}", _hub_page, methods=["GET", "POST", "PUT"])
    return Starlette(routes=[Route("/log-in", log_in), static, everything])

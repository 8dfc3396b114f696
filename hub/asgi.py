"""The one ASGI app of a hub process: routing outermost, the guards, the routes, and Streamlit's pages.

RoutingApp       whose address is it? nothing that another site makes a browser send; environments' go to the gateway
IdentityMiddleware   who makes the request
PageSockets      closes open pages of ended sessions
PageGate         strangers see the login page, and nothing of the others
InjectTab        Podium's script in Streamlit's page
routes           /health, /metrics, /auth/…, downloads; 404 for what is not there; then Streamlit
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import streamlit
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from hub import services as composition
from hub.api.app import api_routes
from hub.audit.routes import AuditRoutes
from hub.background import background
from hub.identity.answers import nothing_here
from hub.identity.headers import SecurityHeaders
from hub.identity.middleware import IdentityMiddleware
from hub.identity.oidc.routes import ProviderRoutes
from hub.identity.page_sockets import PageSockets
from hub.identity.routes import IdentityRoutes
from hub.metrics import Metrics
from hub.page_gate import PageGate
from hub.routing.app import RoutingApp
from hub.routing.assets import Assets
from hub.routing.inject import InjectTab
from hub.routing.own_nginx import OwnNginx
from hub.routing.service import Routing
from hub.services import Services
from hub.settings import ROOT, Settings
from hub.settings_field import listed
from hub.ui_fault import show_fault
from hub.workspaces.archives import Archives
from hub.workspaces.routes import WorkspaceRoutes

_INDEX = Path(streamlit.__file__).parent / "static" / "index.html"
_ANY = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


def create_app(services: Services) -> ASGIApp:
    """The app for one process, with everything that runs beside it in its lifespan."""
    composition.use(services)
    settings, sessions = services.settings, services.sessions
    assets, archives = Assets.of(_INDEX.parent), Archives(services.workspaces)
    routing = Routing.build(
        settings, services.addresses, services.database, services.keys, sessions, services.environments, assets
    )
    identity = IdentityRoutes(services.identity, services.logins, settings)
    pages = streamlit.App(ROOT / "hub" / "ui.py", on_script_error=show_fault)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        with background(services):
            async with pages.lifespan()(_app):
                yield
        routing.close()

    hub = Starlette(
        routes=[
            Route("/health", _healthy),
            Route("/metrics", Metrics(services).answer),
            *identity.routes,
            *ProviderRoutes(services.logins, settings).routes,
            *identity.last,
            *AuditRoutes(services.audit).routes,
            *WorkspaceRoutes(archives, sessions).routes,
            *api_routes(services, archives),
            Route("/api/{rest:path}", nothing_here, methods=_ANY),
            # No page of the hub takes files, and Streamlit would hold those of strangers in memory.
            Route("/_stcore/upload_file/{rest:path}", nothing_here, methods=_ANY),
            Mount("/", pages),
        ],
        middleware=[
            Middleware(SecurityHeaders, settings=settings, index_html=_INDEX.read_text("utf-8")),
            Middleware(IdentityMiddleware, sessions=sessions, settings=settings),
            Middleware(PageSockets, sessions=sessions),
            Middleware(PageGate, assets=assets.names),
            Middleware(InjectTab),
        ],
        lifespan=lifespan,
    )
    return behind_proxies(OwnNginx(RoutingApp(hub, routing), services.credential, services.addresses.others), settings)


def behind_proxies(app: ASGIApp, settings: Settings) -> ASGIApp:
    """Where trusted proxies stand in front, a request's address is what the nearest of them that is not trusted was told."""
    trusted = listed(settings.trusted_proxies)
    return ProxyHeadersMiddleware(app, list(trusted)) if trusted else app  # type: ignore[arg-type, return-value]


async def _healthy(_request: Request) -> Response:
    """This process serves. It says nothing of the database, so that a silent one does not get hubs killed."""
    return PlainTextResponse("ok\n")

"""REST v1 and its documentation: `/api/v1`, the schema at `/api/v1/openapi.json`, Swagger UI at `/docs`."""

from importlib.resources import files

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from hub import __version__
from hub.api import ROOT, audit, clusters, environments, me, usage, users, workspaces
from hub.api.callers import Doorkeeper
from hub.api.etags import Etags
from hub.api.problems import MALFORMED, answer_problems, documented
from hub.services import Services
from hub.workspaces.archives import Archives

_ABOUT = (
    "What pages do, for programs. Show a token as `Authorization: Bearer podium_…`; make one on the page *Account*. "
    "Lists take `page`, `size` and `sort`; refusals are problem details (RFC 9457); a `GET` has an `ETag`."
)
_DOCS = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Podium API</title>'
    '<meta name="viewport" content="width=device-width, initial-scale=1">'
    '<link rel="stylesheet" href="/docs/assets/swagger-ui.css"></head><body><div id="swagger-ui"></div>'
    '<script src="/docs/assets/swagger-ui-bundle.js"></script><script src="/docs/start.js"></script></body></html>'
)
_START = f'SwaggerUIBundle({{url: "{ROOT}/openapi.json", dom_id: "#swagger-ui", deepLinking: true, validatorUrl: null}});\n'


def api_routes(services: Services, archives: Archives) -> list[BaseRoute]:
    """For the hub's ASGI app, inside the identity middleware."""
    assets = StaticFiles(directory=str(files("fastapi_swagger") / "resources"))
    api = create_api(services)
    api.state.archives = archives
    return [
        Mount(ROOT, api),
        Route("/docs", _docs),
        Route("/docs/start.js", _start),
        Mount("/docs/assets", assets),
    ]


def create_api(services: Services) -> FastAPI:
    api = FastAPI(
        title="Podium",
        version=__version__,
        description=_ABOUT,
        docs_url=None,
        redoc_url=None,
        servers=[{"url": ROOT}],
        root_path_in_servers=False,
        redirect_slashes=False,
        responses=MALFORMED | documented(401, 403, 422, 429, 503),
        generate_unique_id_function=_operation_id,
    )
    api.state.services, api.state.doorkeeper = services, Doorkeeper(services)
    for part in (me, environments, usage, clusters, workspaces, users, audit):
        api.include_router(part.router)
    answer_problems(api)
    api.add_middleware(Etags)
    return api


def _operation_id(route: APIRoute) -> str:
    return route.name


async def _docs(_request: object) -> Response:
    return HTMLResponse(_DOCS)


async def _start(_request: object) -> Response:
    return Response(_START, media_type="text/javascript")

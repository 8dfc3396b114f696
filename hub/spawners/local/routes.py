"""The agent's HTTP interface on its socket: thin, one route for each call of the spawner interface."""

import hmac
import json
import os
from collections.abc import AsyncIterator, Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Lifespan, Receive, Scope, Send

from hub.errors import ClusterSilent, Invalid, PodiumError
from hub.spawners.checks import checked_id
from hub.spawners.local import wire
from hub.spawners.local.isolation import Isolation
from hub.spawners.local.limits import Limits
from hub.spawners.local.starts import Starts
from hub.spawners.local.warm import WarmParent
from hub.spawners.local.workspaces import Workspaces

HEARTBEAT_SECONDS = 5.0


@dataclass
class Agent:
    """What the routes stand on. `find_out` is called once it serves; `finish` ends its process after the answer is out."""

    starts: Starts
    workspaces: Workspaces
    parents: dict[str, WarmParent]
    limits: Limits
    isolation: Isolation
    capacity: int
    fingerprint: str
    find_out: Callable[[], None]
    finish: Callable[[], None] = field(default=lambda: None)


class SecretRequired:
    """Refuses everyone who does not know the secret, before anything else looks at the request."""

    def __init__(self, app: ASGIApp, secret: str) -> None:
        self._app, self._expected = app, f"Bearer {secret}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or self._knows(scope):
            await self._app(scope, receive, send)
        else:
            await Response(status_code=401)(scope, receive, send)

    def _knows(self, scope: Scope) -> bool:
        given = dict(scope["headers"]).get(b"authorization", b"")
        return hmac.compare_digest(given, self._expected)


def application(agent: Agent, secret: str, lifespan: Lifespan[Starlette]) -> Starlette:
    routes = Routes(agent)
    return Starlette(
        routes=[
            Route("/about", routes.about),
            Route("/isolation", routes.isolation),
            Route("/starts", routes.observe),
            Route("/watch", routes.watch),
            Route("/usage", routes.usage),
            Route("/starts/{start}", routes.start, methods=["PUT"]),
            Route("/starts/{start}", routes.forget, methods=["DELETE"]),
            Route("/starts/{start}/stop", routes.stop, methods=["POST"]),
            Route("/starts/{start}/log", routes.log),
            Route("/workspaces", routes.volumes),
            Route("/workspaces/{workspace}", routes.delete_workspace, methods=["DELETE"]),
            Route("/workspaces/{workspace}/size", routes.size),
            Route("/workspaces/{workspace}/archive", routes.archive),
            Route("/leave", routes.leave, methods=["POST"]),
            Route("/down", routes.down, methods=["POST"]),
        ],
        middleware=[Middleware(SecretRequired, secret=secret)],
        exception_handlers={PodiumError: _refuse, OSError: _fault},
        lifespan=lifespan,
    )


async def _refuse(_request: Request, error: Exception) -> Response:
    assert isinstance(error, PodiumError)
    return JSONResponse({"error": type(error).__name__, "sentence": error.sentence}, error.status)


async def _fault(request: Request, error: Exception) -> Response:
    """A full or failing disk: nothing was lost, and the hub asks again."""
    assert isinstance(error, OSError)
    return await _refuse(request, ClusterSilent(f"The machine that runs the environments has a fault: {error.strerror}."))


class Routes:
    def __init__(self, agent: Agent) -> None:
        self._agent, self._starts, self._workspaces = agent, agent.starts, agent.workspaces

    async def about(self, _request: Request) -> Response:
        parents = [
            {"interpreter": path, "pid": parent.pid, "ready": parent.is_ready} for path, parent in self._agent.parents.items()
        ]
        about: dict[str, Any] = {"pid": os.getpid(), "fingerprint": self._agent.fingerprint, "warm_parents": parents}
        return JSONResponse(about | {"capacity": self._agent.capacity, "limits": self._agent.limits.sentence()})

    async def isolation(self, _request: Request) -> Response:
        """Answered once it is known."""
        return JSONResponse(await self._agent.isolation.told())

    async def start(self, request: Request) -> Response:
        try:
            spec = wire.spec_from_json(await request.json())
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise Invalid(f"That is no spec of a start: {error}") from error
        if spec.start_id != request.path_params["start"]:
            raise Invalid("The spec is of another start.")
        self._starts.order(spec)
        return Response(status_code=202)

    async def stop(self, request: Request) -> Response:
        self._starts.stop(request.path_params["start"])
        return Response(status_code=202)

    async def forget(self, request: Request) -> Response:
        self._starts.forget(request.path_params["start"])
        return Response(status_code=204, background=BackgroundTask(self._workspaces.empty_trash))

    async def observe(self, _request: Request) -> Response:
        return JSONResponse([wire.observation_to_json(seen) for seen in self._starts.observations()])

    async def watch(self, _request: Request) -> Response:
        return StreamingResponse(self._changes(), media_type="application/x-ndjson")

    async def _changes(self) -> AsyncIterator[str]:
        """One JSON object a line; an empty object says that all has been told, an empty line that nothing has changed."""
        async with self._starts.watcher() as watcher:
            yield "".join(_line(wire.observation_to_json(seen)) for seen in self._starts.observations()) + _line({})
            while True:
                changed = await watcher.changes(HEARTBEAT_SECONDS)
                yield "".join(_line(wire.observation_to_json(seen)) for seen in changed) or "\n"

    async def log(self, request: Request) -> Response:
        lines = request.query_params.get("lines", "")
        if not lines.isdecimal():
            raise Invalid("The number of lines is no number.")
        return PlainTextResponse(await run_in_threadpool(self._starts.log, request.path_params["start"], int(lines)))

    async def usage(self, _request: Request) -> Response:
        return JSONResponse([wire.usage_to_json(usage) for usage in await run_in_threadpool(self._starts.usage)])

    async def volumes(self, _request: Request) -> Response:
        return JSONResponse(await run_in_threadpool(self._workspaces.ids))

    async def size(self, request: Request) -> Response:
        found = await run_in_threadpool(self._workspaces.size, request.path_params["workspace"])
        return JSONResponse(asdict(found))

    async def archive(self, request: Request) -> Response:
        workspace = checked_id(request.path_params["workspace"])
        return StreamingResponse(self._workspaces.archive(workspace), media_type="application/gzip")

    async def delete_workspace(self, request: Request) -> Response:
        self._starts.delete_workspace(checked_id(request.path_params["workspace"]))
        return Response(status_code=204, background=BackgroundTask(self._workspaces.empty_trash))

    async def leave(self, _request: Request) -> Response:
        """The agent ends, environments go on."""
        return Response(status_code=202, background=BackgroundTask(self._agent.finish))

    async def down(self, _request: Request) -> Response:
        """Everything ends, then the agent."""
        await self._starts.end_all()
        return Response(status_code=204, background=BackgroundTask(self._agent.finish))


def _line(value: dict[str, Any]) -> str:
    return json.dumps(value) + "\n"

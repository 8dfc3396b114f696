"""The baseline of what a proxy asks: `python -m tests.bench.bare` serves an ASGI application that only says ok."""

import asyncio

import uvicorn
from starlette.types import Receive, Scope, Send

from hub.server import listen

HEADERS = [(b"content-type", b"text/plain"), (b"content-length", b"2")]


async def ok(scope: Scope, _receive: Receive, send: Send) -> None:
    """200, whatever was asked."""
    assert scope["type"] == "http"
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    await send({"type": "http.response.body", "body": b"ok"})


def main() -> None:
    listener = listen("127.0.0.1", 0)
    config = uvicorn.Config(ok, access_log=False, log_level="warning", lifespan="off")
    print(listener.getsockname()[1], flush=True)  # noqa: T201 - the benchmark reads the port
    with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        runner.run(uvicorn.Server(config).serve(sockets=[listener]))


if __name__ == "__main__":
    main()

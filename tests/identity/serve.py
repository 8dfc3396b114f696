"""A hub's pages, login and guards in a process of their own, without environments: `python -m tests.identity.serve FOLDER URL`."""

import socket
import sys
from pathlib import Path

import streamlit
import uvicorn
from starlette.middleware import Middleware
from streamlit import App

from hub import datafolder, services
from hub.database import Database
from hub.identity.csrf import CsrfGuard
from hub.identity.headers import SecurityHeaders
from hub.identity.middleware import IdentityMiddleware
from hub.identity.page_sockets import PageSockets
from hub.identity.routes import IdentityRoutes
from hub.settings import ROOT, Settings
from tests.support.memory_spawner import MemorySpawner


def application(folder: Path, url: str) -> App:
    settings = Settings(data_dir=folder, database_url=url, secret_key="an-identity-test-0123456789abcdef")
    built = services.build(settings, datafolder.prepare(folder), Database(url), {"local": MemorySpawner()})
    services.use(built)
    index = (Path(streamlit.__file__).parent / "static" / "index.html").read_text("utf-8")
    return App(
        str(ROOT / "hub" / "ui.py"),
        routes=IdentityRoutes(built.identity, settings).routes,
        middleware=[
            Middleware(SecurityHeaders, settings=settings, index_html=index),
            Middleware(CsrfGuard, settings=settings),
            Middleware(IdentityMiddleware, sessions=built.sessions, settings=settings),
            Middleware(PageSockets, sessions=built.sessions),
        ],
    )


def main() -> None:
    folder, url = sys.argv[1:]
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(application(Path(folder), url), log_level="warning", access_log=False, ws="websockets-sansio"))
    print(listener.getsockname()[1], flush=True)  # noqa: T201 - the test reads the port
    server.run(sockets=[listener])


if __name__ == "__main__":
    main()

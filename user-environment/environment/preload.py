"""Imported by a warm parent before it forks: all that an environment's first page needs.

Uvicorn and Streamlit import these when they first serve, which would cost every environment anew.
"""

from importlib import import_module

MODULES = (
    "anyio._backends._asyncio",
    "duckdb",
    "environment.server",
    "numpy",
    "pandas",
    "plotly.express",
    "plotly.graph_objects",
    "plotly.io",
    "pyarrow",
    "starlette.applications",
    "starlette.middleware.sessions",
    "starlette.staticfiles",
    "starlette.websockets",
    "streamlit.components.v2.manifest_scanner",
    "streamlit.runtime.app_session",
    "streamlit.runtime.scriptrunner.script_runner",
    "streamlit.web.bootstrap",
    "streamlit.web.server.starlette.starlette_agent_routes",
    "streamlit.web.server.starlette.starlette_app",
    "uvicorn.lifespan.on",
    "uvicorn.loops.auto",
    "uvicorn.loops.uvloop",
    "uvicorn.protocols.http.auto",
    "uvicorn.protocols.websockets.websockets_sansio_impl",
)

for module in MODULES:
    import_module(module)

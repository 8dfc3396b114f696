"""Imported by a warm parent before it forks: all that an environment's first page needs.

Uvicorn, Streamlit and Plotly import much when they first serve or draw, which would cost every
environment anew. What a first table and a first chart import is found by making one of each here.
Two things that Streamlit finds out in every process are found out here once for all: how it was
started, which it looks up with the first element drawn, and which packages bring components.
"""

import logging
from importlib import import_module

import pandas as pd
import plotly.express as px
import plotly.graph_objects as go
import pyarrow as pa
import streamlit as st
from streamlit import config
from streamlit.components.v2 import manifest_scanner

MODULES = (
    "anyio._backends._asyncio",
    "duckdb",
    "environment.server",
    "numpy",
    "plotly.tools",
    "starlette.applications",
    "starlette.middleware.sessions",
    "starlette.staticfiles",
    "starlette.websockets",
    "streamlit.dataframe.lazy_df_adapters",
    "streamlit.elements.plotly_chart",
    "streamlit.material_icon_names",
    "streamlit.runtime.app_session",
    "streamlit.runtime.scriptrunner.magic_funcs",
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


def draw_once() -> None:
    table = pd.DataFrame({"x": [1, 2], "y": [1.5, 2.5], "name": ["a", "b"]})
    pa.Table.from_pandas(table)
    go.Figure(go.Bar(x=table["x"], y=table["y"])).update_layout(title="").to_json()
    px.line(table, x="x", y="y", color="name").update_xaxes(title="").update_yaxes(title="").to_json()


def find_out_once() -> None:
    """No environment takes over the configuration that this reads: each has its own."""
    logging.disable(logging.WARNING)  # that nobody looks at the element
    st.caption("")
    logging.disable(logging.NOTSET)
    config._config_options = None  # noqa: SLF001 - there is no public way to forget it
    found = manifest_scanner.scan_component_manifests()
    manifest_scanner.scan_component_manifests = lambda *_, **__: found  # the packages stay as they are


for module in MODULES:
    import_module(module)
draw_once()
find_out_once()

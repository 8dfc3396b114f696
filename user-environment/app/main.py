# ruff: noqa: INP001 - Streamlit loads this as a file, not as a part of a package
"""The picture frame of the research app: who you are, where you can go, and the way back to Podium."""

import os
from pathlib import Path

import streamlit as st
from parts.identity import show_identity

_VIEWS = Path(__file__).parent / "views"
_ICON = Path(__file__).parent / "assets" / "favicon.svg"  # a named icon would be fetched from elsewhere

st.set_page_config(page_title=os.environ.get("ENV_NAME") or "Environment", page_icon=str(_ICON), layout="wide")

page = st.navigation(
    [
        st.Page(_VIEWS / "overview.py", title="Overview", icon=":material/dashboard:", default=True),
        st.Page(_VIEWS / "files.py", title="Files", icon=":material/folder_open:", url_path="files"),
        st.Page(_VIEWS / "explore.py", title="Explore data", icon=":material/query_stats:", url_path="explore"),
    ]
)
show_identity()
page.run()

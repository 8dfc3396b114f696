"""The workspace of this environment, and the heads of its pages."""

import os
from pathlib import Path

import streamlit as st
from research.workspace import Workspace


def workspace() -> Workspace:
    return Workspace(Path(os.environ.get("WORKSPACE_DIR", Path.cwd())))


def head(title: str, purpose: str) -> None:
    """A page's one title and the grey sentence that says what it is for."""
    st.title(title, anchor=False)
    st.caption(purpose)

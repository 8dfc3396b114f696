"""The workspace of this environment, and the heads of its pages."""

import os
from pathlib import Path

import streamlit as st
from research.faults import WorkspaceFault
from research.survey import Survey, survey
from research.workspace import Workspace


def workspace() -> Workspace:
    return Workspace(Path(os.environ.get("WORKSPACE_DIR", Path.cwd())))


def surveyed() -> Survey | None:
    """All that lies in the workspace. Where it cannot be read the page says so, and None comes back."""
    try:
        return survey(workspace())
    except WorkspaceFault as fault:
        st.error(f"**Your workspace cannot be read.** {fault.sentence}", icon=":material/error:")
        st.caption("Stop the environment and launch it again. If this stays, tell your administrator.")
        return None


def head(title: str, purpose: str) -> None:
    """A page's one title and the grey sentence that says what it is for."""
    st.title(title, anchor=False)
    st.caption(purpose)

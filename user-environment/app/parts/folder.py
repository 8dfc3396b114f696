"""Where in the workspace the Files page is, and how to get elsewhere. The address holds the folder."""

from pathlib import PurePosixPath

import streamlit as st
from research.faults import WorkspaceFault
from research.wording import literal, shortened

from parts.place import workspace

_FOLDER = "folder"
_ROUND = "files.round"
_IS_OPEN = "files.new-folder.open"


def present_folder() -> str:
    """The folder of the address, as text that nobody has checked yet."""
    return str(st.query_params.get(_FOLDER, ""))


def open_folder(path: str) -> None:
    if path:
        st.query_params[_FOLDER] = path
    else:
        st.query_params.pop(_FOLDER, None)
    forget_selection()


def forget_selection() -> None:
    """Let the next table begin without a selected row: its rows are other ones."""
    st.session_state[_ROUND] = st.session_state.get(_ROUND, 0) + 1


def path_bar(folder: str) -> None:
    """The way from the top folder to this one, each step a button."""
    steps = PurePosixPath(folder).parts
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.button("Workspace", icon=":material/home:", type="tertiary", key="files.top", on_click=open_folder, args=("",))
        for depth, name in enumerate(steps, start=1):
            st.button(
                f"/ {literal(shortened(name, 30))}",
                type="tertiary",
                key=f"files.step.{depth}",
                on_click=open_folder,
                args=("/".join(steps[:depth]),),
            )


def new_folder(folder: str) -> None:
    with (
        st.popover("New folder", icon=":material/create_new_folder:", key=_IS_OPEN, on_change="rerun"),
        st.form("files.new-folder", clear_on_submit=True, border=False),
    ):
        st.text_input("Name of the folder", key="files.new-folder.name", max_chars=255)
        st.form_submit_button("Make folder", on_click=_make, args=(folder,))


def _make(folder: str) -> None:
    try:
        made = workspace().make_folder(folder, st.session_state["files.new-folder.name"])
    except WorkspaceFault as fault:
        st.toast(f"No folder was made. {fault.sentence}", icon=":material/error:")
    else:
        st.session_state[_IS_OPEN] = False
        open_folder(made)

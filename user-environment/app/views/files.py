# ruff: noqa: INP001 - Streamlit loads this as a file, not as a part of a package
"""The files of the workspace: look through folders, upload, download, look into a file, delete."""

import pandas as pd
import streamlit as st
from parts.file_panel import show_entry
from parts.folder import new_folder, open_folder, path_bar, present_folder
from parts.place import head, workspace
from parts.uploading import show_outcome, upload
from research.faults import WorkspaceFault
from research.kinds import kind
from research.wording import count, shown, size
from research.workspace import Entry

_PAGE = 200


def _listing(entries: list[Entry]) -> Entry | None:
    """The table of a folder; gives the entry that is selected."""
    table = pd.DataFrame(
        {
            "name": [shown(entry.name) + ("/" if entry.is_folder else "") for entry in entries],
            "kind": [_kind(entry) for entry in entries],
            "size": [None if entry.is_folder else entry.size for entry in entries],
            "changed": [entry.changed for entry in entries],
        }
    )
    selection = st.dataframe(
        table,
        key=f"files.table.{st.session_state.get('files.round', 0)}",
        hide_index=True,
        placeholder="",
        on_select="rerun",
        selection_mode="single-row",
        alt="Files and folders with kind, size and last change",
        column_config={
            "name": st.column_config.TextColumn("Name", width="large"),
            "kind": "Kind",
            "size": st.column_config.NumberColumn("Size", format="bytes"),
            "changed": st.column_config.DatetimeColumn("Changed", format="distance"),
        },
    )
    chosen = selection["selection"]["rows"]
    return entries[chosen[0]] if chosen and chosen[0] < len(entries) else None


def _kind(entry: Entry) -> str:
    if entry.leads_out:
        return "Link that leads out"
    return "Folder" if entry.is_folder else kind(entry.name).value


def _show_folder(folder: str) -> None:
    entries = workspace().entries(folder)
    if not entries:
        st.info("**This folder is empty.** Upload files above, or make a folder.", icon=":material/folder_open:")
        return
    st.caption(_summary(entries))
    pages = -(-len(entries) // _PAGE)
    page = st.pagination(pages, key="files.page") if pages > 1 else 1
    chosen = _listing(entries[(page - 1) * _PAGE : page * _PAGE])
    if chosen is None:
        st.caption("Select a row to open, download or delete it.")
    else:
        show_entry(chosen)


def _summary(entries: list[Entry]) -> str:
    folders = sum(entry.is_folder for entry in entries)
    facts = [count(folders, "folder", "folders")] if folders else []
    return " · ".join([*facts, count(len(entries) - folders, "file", "files"), size(sum(entry.size for entry in entries))])


head("Files", "All that lies in your workspace. It stays when the environment stops.")
with st.container():  # there at each run, so that what comes below keeps its place
    show_outcome()
folder = present_folder()
try:
    path_bar(folder)
    with st.container(horizontal=True):
        upload(folder)
        new_folder(folder)
    _show_folder(folder)
except WorkspaceFault as fault:
    st.error(f"**This folder cannot be shown.** {fault.sentence}", icon=":material/error:")
    st.button("Go to the top folder", on_click=open_folder, args=("",), icon=":material/home:")

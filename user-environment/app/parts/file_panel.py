"""What can be done with the selected file or folder."""

import mimetypes
from functools import partial

import streamlit as st
from research.faults import WorkspaceFault
from research.kinds import is_explorable, kind
from research.wording import ago, literal, shown, size
from research.workspace import Entry

from parts.folder import forget_selection, open_folder
from parts.looking import show_preview
from parts.place import workspace

_LARGEST_DOWNLOAD = 1_000_000_000


def show_entry(entry: Entry) -> None:
    with st.container(border=True):
        st.markdown(f"**{literal(entry.name)}**")
        st.caption(_facts(entry))
        with st.container(horizontal=True):
            _actions(entry)
        if not entry.is_folder and not entry.leads_out:
            show_preview(entry)


def _facts(entry: Entry) -> str:
    if entry.leads_out:
        return "A link that leads out of your workspace. It is not followed."
    what = "Folder" if entry.is_folder else f"{kind(entry.name).value} · {size(entry.size)}"
    return f"{what} · changed {ago(entry.changed)} ({entry.changed:%Y-%m-%d %H:%M} UTC)"


def _actions(entry: Entry) -> None:
    if entry.is_folder and not entry.leads_out:
        st.button("Open folder", type="primary", icon=":material/folder_open:", on_click=open_folder, args=(entry.path,))
    elif not entry.leads_out:
        if is_explorable(entry.name):
            st.page_link(
                "views/explore.py", label="Explore", icon=":material/query_stats:", query_params={"file": shown(entry.path)}
            )
        _download(entry)
    if st.button("Delete", icon=":material/delete:"):
        _confirm(entry)


def _download(entry: Entry) -> None:
    """The file is read when the button is clicked, not when it is drawn."""
    if entry.size > _LARGEST_DOWNLOAD:
        st.caption("Too large to download alone: Podium's Workspaces page downloads the whole workspace as an archive.")
        return
    st.download_button(
        "Download",
        partial(_content, entry.path),
        file_name=shown(entry.name),
        mime=mimetypes.guess_type(entry.name)[0] or "application/octet-stream",
        icon=":material/download:",
        on_click="ignore",
    )


def _content(path: str) -> bytes:
    return workspace().resolve(path).read_bytes()


@st.dialog("Delete", icon=":material/delete:")
def _confirm(entry: Entry) -> None:
    lost = "the folder and all that lies in it" if entry.is_folder and not entry.leads_out else "it"
    st.markdown(f"**{literal(entry.name)}** will be deleted for good. Podium keeps no copy of {lost}. All else stays.")
    with st.container(horizontal=True):
        if st.button("Delete for good", key="files.delete"):
            _delete(entry)
        if st.button("Keep it", key="files.keep"):
            st.rerun()


def _delete(entry: Entry) -> None:
    try:
        workspace().delete(entry.path)
    except WorkspaceFault as fault:
        st.error(f"**It was not deleted.** {fault.sentence}")
        return
    forget_selection()
    st.toast(f"{literal(entry.name)} is deleted.", icon=":material/check:")
    st.rerun()

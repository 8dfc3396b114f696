"""A look into the selected file."""

import streamlit as st
from research import preview
from research.faults import WorkspaceFault
from research.kinds import is_explorable, is_picture
from research.wording import shown
from research.workspace import Entry

from parts.place import workspace

_LANGUAGES = {
    "py": "python",
    "json": "json",
    "md": "markdown",
    "sql": "sql",
    "yaml": "yaml",
    "yml": "yaml",
    "toml": "toml",
    "sh": "bash",
}


def show_preview(entry: Entry) -> None:
    try:
        _draw(entry)
    except WorkspaceFault as fault:
        st.warning(fault.sentence, icon=":material/visibility_off:")


def _draw(entry: Entry) -> None:
    file = workspace().resolve(entry.path)
    if entry.size == 0:
        st.caption("The file is empty.")
    elif is_explorable(entry.name):
        st.dataframe(preview.table(file), hide_index=True, alt=f"The first rows of {shown(entry.name)}", key="files.preview")
        st.caption("The first rows. Explore shows all of them.")
    elif is_picture(entry.name):
        st.image(str(preview.picture(file)), alt=shown(entry.name))
    else:
        beginning, complete = preview.text(file)
        st.code(beginning, language=_LANGUAGES.get(entry.name.rpartition(".")[2].lower()), height=360, wrap_lines=True)
        if not complete:
            st.caption("The first 64 kB.")

"""Upload into the open folder, and the message of what became of it."""

from dataclasses import dataclass, field

import streamlit as st
from research.faults import WorkspaceFault
from research.saving import save
from research.wording import count, literal, shortened
from streamlit.runtime.uploaded_file_manager import UploadedFile

from parts.folder import forget_selection
from parts.place import workspace

_OUTCOME = "files.outcome"
_FILES = "files.upload"
_REPLACE = "files.upload.replace"
_IS_OPEN = "files.upload.open"


@dataclass
class Outcome:
    saved: list[str] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)


def upload(folder: str) -> None:
    with (
        st.popover("Upload files", type="primary", icon=":material/upload:", key=_IS_OPEN, on_change="rerun"),
        st.form("files.upload-form", clear_on_submit=True, border=False),
    ):
        st.file_uploader("Files for this folder", accept_multiple_files=True, key=_FILES)
        st.checkbox("Replace files of the same name", key=_REPLACE, help="Otherwise a new file gets a number: name (2).csv")
        st.form_submit_button("Upload", type="primary", on_click=_save_all, args=(folder,))


def show_outcome() -> None:
    """Once, what the last upload or deletion did."""
    outcome: Outcome | None = st.session_state.pop(_OUTCOME, None)
    if outcome is None:
        return
    if outcome.saved:
        names = ", ".join(literal(shortened(name)) for name in outcome.saved[:5])
        more = f" and {len(outcome.saved) - 5} more" if len(outcome.saved) > 5 else ""
        st.success(f"{count(len(outcome.saved), 'file lies', 'files lie')} in your workspace now: {names}{more}.")
    for name, sentence in outcome.refused:
        st.error(f"**{literal(shortened(name))} was not saved.** {sentence}", icon=":material/error:")


def _save_all(folder: str) -> None:
    outcome = Outcome()
    files: list[UploadedFile] = st.session_state[_FILES] or []
    for file in files:
        try:
            outcome.saved.append(save(workspace(), folder, file.name, file, replace=st.session_state[_REPLACE]))
        except WorkspaceFault as fault:
            outcome.refused.append((file.name, fault.sentence))
    if not files:
        st.toast("Choose files first.", icon=":material/info:")
    elif not outcome.refused:
        st.session_state[_IS_OPEN] = False
    st.session_state[_OUTCOME] = outcome
    forget_selection()

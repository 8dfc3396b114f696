"""What a page shows when its script fails: a refusal's own sentence, or a number that the log knows. Never a traceback."""

import logging
import secrets

import streamlit as st

from hub.errors import PodiumError, Silent

log = logging.getLogger(__name__)


def show_fault(error: Exception) -> bool:
    """Called by Streamlit in the script's own thread, so that it can draw; True: it need not show the error itself."""
    if isinstance(error, PodiumError):
        silent = isinstance(error, Silent)
        st.error(error.sentence, icon=":material/cloud_off:" if silent else ":material/error:")
        if silent:
            st.button("Try again", icon=":material/refresh:")
        return True
    number = secrets.token_hex(4)
    log.error("a page failed (%s)", number, exc_info=error)
    st.error(
        "**Something went wrong on this page.** Your environments go on and your files are safe. Reload the page; "
        f"if it happens again, give this number to an administrator: `{number}`",
        icon=":material/error:",
    )
    return True

"""What a person sees when the shipped app fails: a sentence and a number, never a traceback.

The traceback goes to the environment's log under the same number.
"""

import secrets
import sys
import traceback

import streamlit as st


def show_trouble(error: Exception) -> bool:
    """Called by Streamlit in the script's own thread, so that it can draw."""
    number = secrets.token_hex(4)
    print(f"trouble {number}\n{''.join(traceback.format_exception(error))}", file=sys.stderr, flush=True)  # noqa: T201
    st.error(
        "**Something went wrong on this page.** Your files are safe. Reload the page; "
        f"if it happens again, give this number to your administrator: `{number}`",
        icon=":material/error:",
    )
    return True

"""Which dialog is open, and that it stays open until the person closes it.

Streamlit closes a dialog as soon as a page is run without it. Podium's pages are run again whenever an
environment changes its state, and what somebody is typing meanwhile must not go with that.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, NoReturn

import streamlit as st

_OPEN, _PAGE = "podium.dialog", "podium.page"


class _Open(NamedTuple):
    name: str
    what: tuple[Any, ...]


def open_dialog(name: str, *what: Any) -> None:
    """Have `draw_dialog` draw it in the coming runs of the page. Within a fragment, run the whole page after it."""
    st.session_state[_OPEN] = _Open(name, what)


def close_dialog() -> None:
    """For `on_dismiss` of each dialog."""
    st.session_state.pop(_OPEN, None)


def leave_dialog() -> NoReturn:
    """Its work is done: close it, and show the page with what came of it."""
    close_dialog()
    st.rerun()


def draw_dialog(dialogs: Mapping[str, Callable[..., object]]) -> None:
    """Call the open one, if any, with what it is about. The last thing that a page does."""
    opened: _Open | None = st.session_state.get(_OPEN)
    if opened is not None:
        dialogs[opened.name](*opened.what)


def turn_to(page: str) -> None:
    """Whoever goes to another page, by the browser's Back too, leaves the dialog behind."""
    if st.session_state.get(_PAGE) != page:
        close_dialog()
    st.session_state[_PAGE] = page

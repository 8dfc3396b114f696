"""How a page acts: it calls a service through `attempt`, a callback through `act`, and `show_notice` says what came of it.

What came of it stays for a while and not for one run: a fragment or a dialog may be run again at any
moment, and a refusal that nobody could read is none.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import streamlit as st

from hub.errors import PodiumError

_NOTICE = "podium.notice"
_SHOWN_SECONDS = 15


class _Notice(NamedTuple):
    """`where` names the dialog that a refusal belongs to, and is empty for the page."""

    where: str
    kind: str
    sentence: str
    until: float


def attempt(service_call: Callable[..., Any], *arguments: Any, done: str = "", where: str = "", **named: Any) -> bool:
    """Call a service; True if it went well. A dialog that stays open for a refusal names itself in `where`."""
    st.session_state.pop(_NOTICE, None)
    try:
        service_call(*arguments, **named)
    except PodiumError as error:
        _note(where, "error", error.sentence)
        return False
    if done:
        _note("", "success", done)
    return True


def act(service_call: Callable[..., Any], *arguments: Any, done: str = "", **named: Any) -> None:
    """As `attempt`, for a widget's callback."""
    attempt(service_call, *arguments, done=done, **named)


def _note(where: str, kind: str, sentence: str) -> None:
    st.session_state[_NOTICE] = _Notice(where, kind, sentence, time.monotonic() + _SHOWN_SECONDS)


def show_notice(where: str = "") -> None:
    """Draw what the last act had to say, on the page or in the dialog that it belongs to."""
    notice: _Notice | None = st.session_state.get(_NOTICE)
    if notice is None or notice.where != where or time.monotonic() > notice.until:
        return
    if notice.kind == "error":
        st.error(notice.sentence, icon=":material/error:")
    else:
        st.success(notice.sentence, icon=":material/check_circle:")


@contextmanager
def telling() -> Iterator[None]:
    """What a page, or a fragment of one, shows where it cannot be drawn: what happened, what is safe, what to do."""
    try:
        yield
    except PodiumError as error:
        st.error(f"**This cannot be shown now.** {error.sentence}", icon=":material/cloud_off:")
        st.button("Try again", icon=":material/refresh:", key="podium.again")

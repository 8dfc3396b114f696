"""How a page acts: it calls a service through `attempt`, a callback through `act`, and the next run shows what came of it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import streamlit as st

from hub.errors import PodiumError

_NOTICE = "podium.notice"


def attempt(service_call: Callable[..., Any], *arguments: Any, done: str = "", **named: Any) -> bool:
    """Call a service; True if it went well. A refusal's sentence waits for `show_notice`."""
    try:
        service_call(*arguments, **named)
    except PodiumError as error:
        st.session_state[_NOTICE] = ("error", error.sentence)
        return False
    if done:
        st.session_state[_NOTICE] = ("success", done)
    return True


def act(service_call: Callable[..., Any], *arguments: Any, done: str = "", **named: Any) -> None:
    """As `attempt`, for a widget's callback."""
    attempt(service_call, *arguments, done=done, **named)


def show_notice() -> None:
    """Draw what the last act had to say, once."""
    kind, sentence = st.session_state.pop(_NOTICE, ("", ""))
    if kind == "error":
        st.error(sentence, icon=":material/error:")
    elif kind:
        st.success(sentence, icon=":material/check_circle:")


@contextmanager
def telling() -> Iterator[None]:
    """What a page, or a fragment of one, shows where it cannot be drawn: what happened, what is safe, what to do."""
    try:
        yield
    except PodiumError as error:
        st.error(f"**This cannot be shown now.** {error.sentence}", icon=":material/cloud_off:")
        st.button("Try again", icon=":material/refresh:", key="podium.again")

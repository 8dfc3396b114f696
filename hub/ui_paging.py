"""A list in pages: one question for the rows and their number, and the row of page numbers above."""

from collections.abc import Callable, Sequence
from typing import TypeVar

import streamlit as st

T = TypeVar("T")


def paged(key: str, size: int, ask: Callable[[int], tuple[Sequence[T], int]]) -> tuple[list[T], int, int]:
    """The rows of the chosen page, how many there are in all, and the page; `ask` takes a page, counted from 0."""
    page = int(st.session_state.get(key, 1)) - 1
    rows, total = ask(page)
    if page and not rows:  # a filter was narrowed meanwhile
        st.session_state.pop(key, None)
        page, (rows, total) = 0, ask(0)
    if total > size:
        st.pagination(-(-total // size), key=key)
    return list(rows), total, page

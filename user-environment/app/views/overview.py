# ruff: noqa: INP001 - Streamlit loads this as a file, not as a part of a package
"""What lies in the workspace: how much, of what kind, and the largest files.

Empty, it shows a made-up table instead, so that a new environment has something to look at.
"""

import pandas as pd
import streamlit as st
from parts.chart import draw
from parts.place import head, surveyed
from parts.sample import show_sample
from research.figures import sizes
from research.survey import MOST_FILES, Survey
from research.wording import ago, count, shortened, size

_LARGEST = 10


def _numbers(found: Survey) -> None:
    latest = found.latest()
    files, used, changed = st.columns(3)
    files.metric("Files", f"{len(found.files):,}{'' if found.complete else '+'}", border=True)
    used.metric("Space used", size(found.size), border=True)
    changed.metric("Last change", ago(latest.changed) if latest else "none", border=True)
    if not found.complete:
        st.caption(f"Only the first {count(MOST_FILES, 'file', 'files')} were counted.")


def _largest(found: Survey) -> pd.DataFrame:
    files = found.largest(_LARGEST)
    return pd.DataFrame(
        {
            "file": [shortened(file.path) for file in files],
            "size": [file.size for file in files],
            "changed": [file.changed for file in files],
        }
    )


def _full(found: Survey) -> None:
    _numbers(found)
    chart, table = st.columns(2)
    with chart.container(border=True):
        draw(
            sizes({str(kind): size for kind, size in found.by_kind().items()}),
            "overview.sizes",
            "Bars of the megabytes that each kind of file takes",
        )
    with table.container(border=True):
        st.markdown("**Largest files**")
        st.dataframe(
            _largest(found),
            hide_index=True,
            alt="The largest files with their size and last change",
            column_config={
                "file": st.column_config.TextColumn("File"),
                "size": st.column_config.NumberColumn("Size", format="bytes"),
                "changed": st.column_config.DatetimeColumn("Changed", format="distance"),
            },
        )


head("Overview", "What lies in your workspace. It stays when the environment stops.")
found = surveyed()
if found and found.files:
    _full(found)
elif found:
    show_sample()

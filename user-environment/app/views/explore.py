# ruff: noqa: INP001 - Streamlit loads this as a file, not as a part of a package
"""Look into a CSV or Parquet file: its rows, filtered, and a chart of them."""

import streamlit as st
from parts.asking import Opened, opened
from parts.charting import show_chart
from parts.filtering import conditions_of
from parts.place import head, surveyed, workspace
from research import tables
from research.conditions import Condition
from research.faults import WorkspaceFault
from research.wording import count, shown, size
from research.workspace import Entry

_ROWS = 100


def _choose(files: list[Entry]) -> Entry:
    """The file of the address, or the one chosen here."""
    by_name = {shown(file.path): file for file in files}
    name = st.selectbox("File", list(by_name), key="file", bind="query-params")
    return by_name.get(name or "", files[0])


def _rows(table: Opened, conditions: tuple[Condition, ...]) -> None:
    matching = table.ask(tables.count, conditions) if conditions else table.description.rows
    st.caption(
        f"{count(matching, 'row', 'rows')} of {table.description.rows:,} · {_columns(table)} · {size(table.version.size)}"
    )
    if matching == 0:
        st.info("**No row fits these filters.** Take one away or widen it.", icon=":material/filter_alt_off:")
        return
    pages = -(-matching // _ROWS)
    page = st.pagination(pages, key=f"explore.page.{hash((table.version, conditions))}") if pages > 1 else 1
    st.dataframe(
        table.ask(tables.rows, table.description.columns, conditions, (page - 1) * _ROWS, _ROWS),
        hide_index=True,
        alt=f"Rows of {table.name}",
        key="explore.rows",
    )


def _columns(table: Opened) -> str:
    more = table.description.more_columns
    shown_columns = len(table.description.columns)
    return (
        f"the first {shown_columns} of {shown_columns + more:,} columns" if more else count(shown_columns, "column", "columns")
    )


def _explore(file: Entry) -> None:
    with st.spinner("Reading the file…", show_time=True):
        table = opened(workspace(), file)
    conditions = conditions_of(table)
    view = st.segmented_control("View", ["Rows", "Chart"], default="Rows", required=True, key="view", bind="query-params")
    with st.spinner("Asking the file…", show_time=True):
        if view == "Chart":
            show_chart(table, conditions)
        else:
            _rows(table, conditions)


head("Explore data", "Filter the rows of a CSV or Parquet file and draw them. The file itself is never changed.")
found = surveyed()
tables_here = found.explorable() if found else []
if found and not tables_here:
    st.info("**There is no table yet.** Upload a CSV or Parquet file; it appears here.", icon=":material/table_view:")
    st.page_link("views/files.py", label="Upload files", icon=":material/upload:")
elif found:
    try:
        _explore(_choose(tables_here))
    except WorkspaceFault as fault:
        st.error(f"**This did not work.** {fault.sentence}", icon=":material/error:")

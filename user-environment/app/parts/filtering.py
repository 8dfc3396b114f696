"""Filters of the explorer: one control for each chosen column, fit to what the column holds."""

from datetime import datetime, time, timedelta

import streamlit as st
from research.conditions import Among, Between, Condition, Contains
from research.tables import Column, Role, choices, extent

from parts.asking import Opened

_MOST_FILTERS = 6


def conditions_of(table: Opened) -> tuple[Condition, ...]:
    names = [column.name for column in table.description.of(Role.NUMBER, Role.TIME, Role.TEXT)]
    chosen = st.multiselect(
        "Filter by",
        names,
        max_selections=_MOST_FILTERS,
        placeholder="Choose columns to filter by",
        key=f"explore.by.{table.name}",
    )
    if not chosen:
        return ()
    with st.container(border=True):
        conditions = [_control(table, table.description.column(name)) for name in chosen]
    return tuple(condition for condition in conditions if condition is not None)


def _control(table: Opened, column: Column) -> Condition | None:
    key = f"explore.filter.{table.name}.{column.name}"
    if column.role is Role.TEXT:
        return _text(table, column, key)
    reach = table.ask(extent, column)
    if reach is None or reach[0] == reach[1]:
        st.caption(f"{column.name} has only one value.")
        return None
    return _times(column, reach, key) if column.role is Role.TIME else _numbers(column, reach, key)


def _text(table: Opened, column: Column, key: str) -> Condition | None:
    if found := table.ask(choices, column):
        values = st.multiselect(column.name, found, key=key, placeholder="All values")
        return Among(column.name, tuple(values)) if values else None
    text = st.text_input(f"{column.name} contains", key=key)
    return Contains(column.name, text) if text else None


def _numbers(column: Column, reach: tuple[float, float], key: str) -> Condition | None:
    low_side, high_side = st.columns(2)
    low = low_side.number_input(
        f"{column.name} from", value=None, placeholder=f"{float(reach[0]):g}", key=f"{key}.low", format="%g"
    )
    high = high_side.number_input(
        f"{column.name} to", value=None, placeholder=f"{float(reach[1]):g}", key=f"{key}.high", format="%g"
    )
    if low is None and high is None:
        return None
    return Between(column.name, float(reach[0]) if low is None else low, float(reach[1]) if high is None else high)


def _times(column: Column, reach: tuple[datetime, datetime], key: str) -> Condition | None:
    first, last = reach[0].date(), reach[1].date()
    days = st.date_input(column.name, value=(first, last), min_value=first, max_value=last, key=key)
    if not isinstance(days, tuple) or len(days) != 2 or days == (first, last):
        return None
    end = datetime.combine(days[1], time()) + timedelta(days=1, microseconds=-1)
    return Between(column.name, datetime.combine(days[0], time()), end)

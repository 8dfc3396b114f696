"""The chart of the explorer: which one, of which columns, and the numbers behind it."""

import pandas as pd
import plotly.graph_objects as go
import streamlit as st
from research import figures
from research.conditions import Condition
from research.figures import MOST_BARS, MOST_POINTS, Chart, Sum
from research.tables import Column, Role, choices

from parts.asking import Opened
from parts.chart import draw

Drawn = tuple[go.Figure, pd.DataFrame] | None


def show_chart(table: Opened, conditions: tuple[Condition, ...]) -> None:
    chart = st.segmented_control("Chart", list(Chart), default=Chart.HISTOGRAM, required=True, key="explore.chart")
    made_by = {Chart.HISTOGRAM: _histogram, Chart.BARS: _bars}.get(chart, _points)
    drawn = made_by(table, conditions, Chart(chart))
    if drawn is None:
        st.info("**This file has no column for this chart.** Choose another chart.", icon=":material/bar_chart_off:")
        return
    figure, data = drawn
    if data.empty:
        st.info(
            "**There is nothing to draw.** No row fits the filters, or the column is empty.", icon=":material/filter_alt_off:"
        )
        return
    draw(figure, "explore.figure", f"{chart} of {table.name}")
    with st.expander("The numbers behind it", icon=":material/table_view:"):
        st.dataframe(data, hide_index=True, key="explore.numbers", alt="The numbers of the chart")


def _choose(label: str, columns: list[Column], key: str, index: int = 0) -> Column | None:
    names = {column.name: column for column in columns}
    name = st.selectbox(label, list(names), index=min(index, len(names) - 1), key=key)
    return names.get(name or "")


def _histogram(table: Opened, conditions: tuple[Condition, ...], _chart: Chart) -> Drawn:
    numbers = table.description.of(Role.NUMBER)
    if not numbers or (column := _choose("Column", numbers, f"explore.x.{table.name}")) is None:
        return None
    data = table.ask(figures.histogram_data, column, conditions)
    return figures.histogram(data, column), data


def _bars(table: Opened, conditions: tuple[Condition, ...], _chart: Chart) -> Drawn:
    groups = table.description.of(Role.TEXT, Role.TIME, Role.NUMBER)
    numbers = table.description.of(Role.NUMBER)
    if not groups:
        return None
    left, middle, right = st.columns(3)
    with left:
        by = _choose("Groups", groups, f"explore.by-group.{table.name}")
    how = middle.selectbox("Figure", list(Sum) if numbers else [Sum.COUNT], key=f"explore.how.{table.name}")
    with right:
        of = _choose("Of", numbers, f"explore.of.{table.name}") if how is not Sum.COUNT else None
    if by is None:
        return None
    data = table.ask(figures.bar_data, by, how, of, conditions)
    if len(data) == MOST_BARS:
        st.caption(f"The {MOST_BARS} groups with the greatest figures.")
    return figures.bars(data, by, how, of), data


def _points(table: Opened, conditions: tuple[Condition, ...], chart: Chart) -> Drawn:
    numbers = table.description.of(Role.NUMBER)
    across = table.description.of(Role.TIME) + numbers
    if not numbers or len(across) < 2:
        return None
    left, middle, right = st.columns(3)
    with left:
        x = _choose("Across", across, f"explore.px.{table.name}")
    with middle:
        y = _choose("Up", [column for column in numbers if column != x], f"explore.py.{table.name}")
    with right:
        colour = _colour(table)
    if x is None or y is None:
        return None
    chosen = list(dict.fromkeys(column for column in (x, y, colour) if column))
    data = table.ask(figures.point_data, chosen, conditions)
    if len(data) == MOST_POINTS:
        st.caption(f"{MOST_POINTS:,} rows taken at random, the same ones each time.")
    return figures.points(data, chart, x, y, colour), data


def _colour(table: Opened) -> Column | None:
    few = [column for column in table.description.of(Role.TEXT) if table.ask(choices, column)]
    names = {column.name: column for column in few}
    return names.get(
        st.selectbox(
            "Colour", [None, *names], format_func=lambda name: name or "One colour", key=f"explore.colour.{table.name}"
        )
        or ""
    )

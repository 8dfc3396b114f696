"""Charts of what a table holds. DuckDB counts and adds up; Plotly gets a few thousand points at most."""

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any

import pandas as pd
import plotly.express as px
import plotly.graph_objects as go

from .conditions import Condition, quoted, where
from .tables import Column, ask, extent, selected

MOST_POINTS = 5000
MOST_BARS = 30
_BINS = 40
_HEIGHT = 420


class Chart(StrEnum):
    HISTOGRAM = "Histogram"
    BARS = "Bars"
    LINE = "Line"
    POINTS = "Points"


class Sum(StrEnum):
    """What a bar stands for."""

    COUNT = "Number of rows"
    MEAN = "Mean"
    TOTAL = "Sum"

    def sql(self, column: Column | None) -> str:
        if self is Sum.COUNT or column is None:
            return "count(*)"
        return f"{'avg' if self is Sum.MEAN else 'sum'}(CAST({quoted(column.name)} AS DOUBLE))"


def histogram_data(file: Path, column: Column, conditions: Sequence[Condition]) -> pd.DataFrame:
    """Rows in each of equal steps from the least to the greatest value."""
    reach = extent(file, column)
    if reach is None:
        return pd.DataFrame({"from": [], "to": [], "rows": []})
    low, high = float(reach[0]), float(reach[1])
    width = (high - low) / _BINS or 1.0
    name = quoted(column.name)
    clause, values = where(conditions)
    clause = f"{clause} {'AND' if clause else 'WHERE'} {name} BETWEEN ? AND ?"
    sql = f"SELECT least(floor(({name} - ?) / ?), {_BINS - 1}) AS bin, count(*) AS rows FROM data {clause} GROUP BY 1"  # noqa: S608
    frame = ask(file, sql, [low, width, *values, low, high])
    counted = dict(zip(frame["bin"].astype(int), frame["rows"], strict=True))
    steps = range(_BINS if high > low else 1)
    return pd.DataFrame(
        [(low + i * width, low + (i + 1) * width, counted.get(i, 0)) for i in steps], columns=["from", "to", "rows"]
    )


def histogram(data: pd.DataFrame, column: Column) -> go.Figure:
    middle, width = (data["from"] + data["to"]) / 2, data["to"] - data["from"]
    bars = go.Bar(x=middle, y=data["rows"], width=width, customdata=data[["from", "to"]])
    bars.hovertemplate = "%{customdata[0]:.4g} to %{customdata[1]:.4g}: %{y:,} rows<extra></extra>"
    return _finished(go.Figure(bars), f"How {_text(column.name)} is spread", column.name, "rows")


def bar_data(file: Path, by: Column, how: Sum, of: Column | None, conditions: Sequence[Condition]) -> pd.DataFrame:
    """The groups with the greatest figures."""
    clause, values = where(conditions)
    sql = f"SELECT {by.expression} AS value, {how.sql(of)} AS figure FROM data {clause} GROUP BY 1 ORDER BY 2 DESC NULLS LAST LIMIT {MOST_BARS}"  # noqa: S608, E501
    frame = ask(file, sql, values)
    return frame.assign(value=frame["value"].astype("string").fillna("(empty)"))


def bars(data: pd.DataFrame, by: Column, how: Sum, of: Column | None) -> go.Figure:
    what = "Number of rows" if of is None or how is Sum.COUNT else f"{how.value} of {of.name}"
    figure = go.Figure(go.Bar(x=data["value"], y=data["figure"], hovertemplate="%{x}: %{y:,.4g}<extra></extra>"))
    figure.update_xaxes(type="category")
    return _finished(figure, f"{_text(what)} by {_text(by.name)}", by.name, what)


def point_data(file: Path, columns: Sequence[Column], conditions: Sequence[Condition]) -> pd.DataFrame:
    """All rows, or where there are too many a sample that is the same each time."""
    clause, values = where(conditions)
    sample = f"USING SAMPLE reservoir({MOST_POINTS} ROWS) REPEATABLE (1)"
    return ask(file, f"SELECT * FROM (SELECT {selected(columns)} FROM data {clause}) {sample}", values)  # noqa: S608


def points(data: pd.DataFrame, chart: Chart, x: Column, y: Column, colour: Column | None) -> go.Figure:
    shade = colour.name if colour else None
    drawn = data.sort_values(x.name) if chart is Chart.LINE else data
    draw: Any = px.line if chart is Chart.LINE else px.scatter
    figure = draw(drawn, x=x.name, y=y.name, color=shade)
    return _finished(figure, f"{_text(y.name)} by {_text(x.name)}", x.name, y.name)


def sizes(by_name: dict[str, int]) -> go.Figure:
    """Megabytes of each kind of file."""
    amounts = [size / 1e6 for size in by_name.values()]
    figure = go.Figure(go.Bar(x=amounts, y=list(by_name), orientation="h", hovertemplate="%{y}: %{x:,.2~f} MB<extra></extra>"))
    figure.update_yaxes(autorange="reversed")
    return _finished(figure, "What takes the space", "MB", "", height=300)


def _finished(figure: go.Figure, title: str, x: str, y: str, height: int = _HEIGHT) -> go.Figure:
    figure.update_layout(title=title, height=height, legend={"orientation": "h", "y": 1.02, "yanchor": "bottom"})
    figure.update_layout(margin={"l": 8, "r": 8, "t": 72, "b": 8})
    figure.update_xaxes(title=_text(x), automargin=True)
    figure.update_yaxes(title=_text(y), automargin=True)
    return figure


def _text(name: str) -> str:
    """A column's name in a chart, where Plotly would take `<` for markup."""
    return name.replace("&", "&amp;").replace("<", "&lt;")[:80]

"""Questions to CSV and Parquet files, answered by DuckDB without loading them.

Every question opens the file anew in a database of its own, reads as much of it as it needs and
gives back few rows, so a file far larger than memory can be explored. The connection can load no
extension and reach nothing but the workspace's disk.
"""

import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from .conditions import Condition, quoted, where
from .faults import WorkspaceFault
from .kinds import is_csv

_MEMORY = "512MB"
_THREADS = 2
_MOST_COLUMNS = 200
_LONGEST_CELL = 500
MOST_CHOICES = 50


class Role(StrEnum):
    """What can be done with a column."""

    NUMBER = "number"
    TIME = "time"
    TEXT = "text"
    OTHER = "other"


@dataclass(frozen=True)
class Column:
    name: str
    type: str

    @property
    def role(self) -> Role:
        if re.match(r"U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?$|FLOAT|DOUBLE|DECIMAL", self.type):
            return Role.NUMBER
        if self.type == "DATE" or self.type.startswith("TIMESTAMP"):
            return Role.TIME
        return Role.TEXT if self.type in {"VARCHAR", "BOOLEAN", "TIME", "UUID"} or self.type.startswith("ENUM") else Role.OTHER

    @property
    def expression(self) -> str:
        """The column as an answer holds it: numbers and times that pandas knows, and text of bounded length."""
        name = quoted(self.name)
        if self.role is Role.NUMBER:
            return f"CAST({name} AS DOUBLE)" if self.type.startswith(("HUGE", "UHUGE", "DECIMAL")) else name
        if self.role is Role.TIME:
            return f"make_timestamp(epoch_us({name}))"
        return f"left(CAST({name} AS VARCHAR), {_LONGEST_CELL})"


@dataclass(frozen=True)
class Description:
    columns: tuple[Column, ...]
    rows: int
    more_columns: int = 0

    def of(self, *roles: Role) -> list[Column]:
        return [column for column in self.columns if column.role in roles]

    def column(self, name: str) -> Column:
        return next(column for column in self.columns if column.name == name)


def describe(file: Path) -> Description:
    """Columns with their types, and the number of rows."""
    with opened(file) as base:
        found = [Column(name, kind) for name, kind, *_ in base.execute("DESCRIBE data").fetchall()]
        (rows,) = base.execute("SELECT count(*) FROM data").fetchall()[0]
    return Description(tuple(found[:_MOST_COLUMNS]), rows, max(0, len(found) - _MOST_COLUMNS))


def count(file: Path, conditions: Sequence[Condition]) -> int:
    clause, values = where(conditions)
    with opened(file) as base:
        (rows,) = base.execute(f"SELECT count(*) FROM data {clause}", values).fetchall()[0]  # noqa: S608 - names are quoted
    return int(rows)


def rows(file: Path, columns: Sequence[Column], conditions: Sequence[Condition], offset: int, limit: int) -> pd.DataFrame:
    """Some rows in the file's order."""
    clause, values = where(conditions)
    return ask(file, f"SELECT {selected(columns)} FROM data {clause} LIMIT {limit:d} OFFSET {offset:d}", values)  # noqa: S608


def extent(file: Path, column: Column) -> tuple[Any, Any] | None:
    """The least and the greatest value; None where there is no value at all."""
    finite = f"WHERE isfinite({quoted(column.name)})" if column.type in {"FLOAT", "DOUBLE"} else ""
    frame = ask(file, f"SELECT min({column.expression}) AS low, max({column.expression}) AS high FROM data {finite}")  # noqa: S608
    low, high = frame["low"][0], frame["high"][0]
    return None if pd.isna(low) or pd.isna(high) else (low, high)


def choices(file: Path, column: Column) -> list[str]:
    """The distinct values as text, the most frequent first; empty where there are too many to choose from."""
    name = quoted(column.name)
    frame = ask(
        file,
        f"SELECT CAST({name} AS VARCHAR) AS value FROM data WHERE {name} IS NOT NULL "  # noqa: S608
        f"GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT {MOST_CHOICES + 1}",
    )
    return [] if len(frame) > MOST_CHOICES else list(frame["value"])


def selected(columns: Sequence[Column]) -> str:
    return ", ".join(f"{column.expression} AS {quoted(column.name)}" for column in columns)


def ask(file: Path, sql: str, values: Sequence[Any] = ()) -> pd.DataFrame:
    """One question, in which the file's rows are called `data`."""
    with opened(file) as base:
        frame: pd.DataFrame = base.execute(sql, list(values)).df()
        return frame


@contextmanager
def opened(file: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database with the file as the view `data`. Errors of DuckDB leave as `WorkspaceFault`."""
    if not file.is_file():
        raise WorkspaceFault("This file is gone. Somebody or something has deleted or renamed it.")
    if file.stat().st_size == 0:
        raise WorkspaceFault("This file is empty, so there is nothing to explore.")
    options: dict[str, Any] = {
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "memory_limit": _MEMORY,
        "temp_directory": tempfile.gettempdir(),
        "threads": _THREADS,
    }
    with duckdb.connect(":memory:", config=options) as base:
        try:
            base.execute("SET enable_progress_bar = false")
            base.execute(f"CREATE TEMP VIEW data AS SELECT * FROM {_reader(file)}")  # noqa: S608 - the path is quoted
            yield base
        except duckdb.Error as error:
            raise WorkspaceFault(_explained(str(error))) from error


def _reader(file: Path) -> str:
    # DuckDB takes a path as a pattern: a name with `*` in it must mean itself only.
    pattern = re.sub(r"([*?\[])", r"[\1]", str(file)).replace("'", "''")
    return f"read_csv('{pattern}')" if is_csv(file.name) else f"read_parquet('{pattern}')"


def _explained(error: str) -> str:
    if "Out of Memory" in error or "failed to allocate" in error:
        return "This question needs more memory than it may take. Filter for fewer rows or choose fewer columns."
    if "No space left" in error:
        return "The disk is full. Delete files that you no longer need and try again."
    if "Disk quota exceeded" in error:
        return "Your workspace is full. Delete files that you no longer need, or choose a larger size when you launch it again."
    if line := re.search(r"(?:on Line|Line):? ?(\d+)", error):
        place = f"line {line.group(1)} does not fit to the lines before it"
        return f"This file cannot be read as a table: {place}. Your file is unchanged."
    return (
        "This file cannot be read as a table. It may be damaged, or of another kind than its name says. Your file is unchanged."
    )

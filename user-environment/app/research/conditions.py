"""Filters of a question to a table. Values travel as parameters, names are quoted."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol


class Condition(Protocol):
    def sql(self) -> tuple[str, list[Any]]:
        """A condition with placeholders, and their values."""


@dataclass(frozen=True)
class Between:
    column: str
    low: Any
    high: Any

    def sql(self) -> tuple[str, list[Any]]:
        return f"{quoted(self.column)} BETWEEN ? AND ?", [self.low, self.high]


@dataclass(frozen=True)
class Among:
    column: str
    values: tuple[str, ...]

    def sql(self) -> tuple[str, list[Any]]:
        places = ", ".join("?" for _ in self.values)
        return f"CAST({quoted(self.column)} AS VARCHAR) IN ({places})", list(self.values)


@dataclass(frozen=True)
class Contains:
    column: str
    text: str

    def sql(self) -> tuple[str, list[Any]]:
        return f"contains(lower(CAST({quoted(self.column)} AS VARCHAR)), lower(?))", [self.text]


def where(conditions: Sequence[Condition]) -> tuple[str, list[Any]]:
    """All conditions as one clause, empty where there are none."""
    if not conditions:
        return "", []
    parts = [condition.sql() for condition in conditions]
    return "WHERE " + " AND ".join(sql for sql, _ in parts), [value for _, values in parts for value in values]


def quoted(name: str) -> str:
    """A column's name as SQL takes it, whatever characters it has."""
    return '"' + name.replace('"', '""') + '"'

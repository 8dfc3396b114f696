"""Questions to one file, with answers kept while the file stays as it is.

The file's size and time of change are part of the key, so a new content is never answered with
rows of the old one. One person uses this process, so nobody is served another person's rows.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

import streamlit as st
from research.faults import translated
from research.tables import Description, describe
from research.wording import shown
from research.workspace import Entry, Workspace

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True)
class Version:
    """One content of a file."""

    path: Path
    size: int
    changed_ns: int


@dataclass(frozen=True)
class Opened:
    """A file that can be asked."""

    name: str
    version: Version
    description: Description

    def ask(self, question: Callable[Concatenate[Path, P], T], *arguments: P.args, **named: P.kwargs) -> T:
        """The answer of one of the functions of `research.tables` or `research.figures`."""
        answer: T = _answer(f"{question.__module__}.{question.__qualname__}", self.version, arguments, named, question)
        return answer


def opened(workspace: Workspace, entry: Entry) -> Opened:
    path = workspace.resolve(entry.path)
    with translated():
        facts = path.stat()
    version = Version(path, facts.st_size, facts.st_mtime_ns)
    return Opened(shown(entry.path), version, _answer("describe", version, (), {}, describe))


@st.cache_data(show_spinner=False, ttl=3600, max_entries=200)
def _answer(
    name: str,  # noqa: ARG001 - the question's part of the key; the function itself cannot be one
    version: Version,
    arguments: tuple[Any, ...],
    named: dict[str, Any],
    _question: Callable[..., Any],
) -> Any:
    return _question(version.path, *arguments, **named)

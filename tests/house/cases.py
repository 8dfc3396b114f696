"""Reads `docs/security/cases.md`, and the `case` marks of the tests that it names.

`make cases` fills the column of tests in from the marks.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hub.settings import ROOT

TABLE = ROOT / "docs" / "security" / "cases.md"
TESTS = ROOT / "tests"

_ROW = re.compile(r"^\| (?P<id>[A-Za-z0-9-]+) \| (?P<story>.*?) \| (?P<guard>.*?) \| ?(?P<test>.*?) ?\|$")
_CODE = re.compile(r"`([^`]+)`")
LATER = "comes with "
ELSEWHERE = (
    "Streamlit itself",
    "The library itself",
    "nothing stores one",
    "nothing is filled in",
    "nothing asks an environment who it is",
)
"""What a row says where no code of Podium's guards it; its test watches that it stays so."""


@dataclass(frozen=True)
class Case:
    """One row. `guards` are `file:name`, none where a library guards; `tests` are `path::name`.

    Both are empty where the feature is still to come.
    """

    id: str
    guards: tuple[str, ...]
    tests: tuple[str, ...]
    later: bool
    guarded_elsewhere: bool

    @property
    def complete(self) -> bool:
        return self.later or bool(self.tests and (self.guards or self.guarded_elsewhere))


def cases() -> list[Case]:
    """All rows, in order."""
    return [_case(match) for line in TABLE.read_text(encoding="utf-8").splitlines() if (match := _row(line))]


def _row(line: str) -> re.Match[str] | None:
    match = _ROW.match(line)
    return match if match and match["id"] != "id" and not set(match["id"]) <= {"-"} else None


def _case(match: re.Match[str]) -> Case:
    later = match["guard"].startswith(LATER)
    guards = () if later else tuple(_CODE.findall(match["guard"]))
    guarded_elsewhere = match["guard"] in ELSEWHERE
    return Case(match["id"], guards, tuple(_CODE.findall(match["test"])), later, guarded_elsewhere)


def marked() -> dict[str, list[str]]:
    """The tests that carry each id: id -> `path::name`."""
    found: dict[str, list[str]] = {}
    for path in sorted(TESTS.rglob("test_*.py")):
        for name, ids in _marks(ast.parse(path.read_text(encoding="utf-8"))):
            for case in ids:
                found.setdefault(case, []).append(f"{path.relative_to(ROOT).as_posix()}::{name}")
    return found


def _marks(module: ast.Module) -> Iterator[tuple[str, list[str]]]:
    constants = {name.id: node.value for node in module.body if isinstance(node, ast.Assign) for name in _names(node)}
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            yield node.name, list(dict.fromkeys(case for inner in node.decorator_list for case in _ids(inner, constants)))


def _names(node: ast.Assign) -> list[ast.Name]:
    return [target for target in node.targets if isinstance(target, ast.Name)]


def _ids(decorator: ast.AST, constants: dict[str, ast.expr]) -> Iterator[str]:
    """Ids of `pytest.mark.case`, also where it sits on a row of a parametrised test, or of a table that the test takes."""
    for node in ast.walk(decorator):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.case":
            yield from (str(argument.value) for argument in node.args if isinstance(argument, ast.Constant))
        elif isinstance(node, ast.Name) and node.id in constants:
            yield from _ids(constants[node.id], {})


def filled_in(text: str) -> str:
    """The table with its column of tests as the marks say."""
    tests = marked()
    lines = [_with_tests(line, tests) for line in text.splitlines()]
    return "\n".join(lines) + "\n"


def _with_tests(line: str, tests: dict[str, list[str]]) -> str:
    match = _row(line)
    if not match or match["id"] not in tests:
        return line
    named = "<br>".join(f"`{test}`" for test in tests[match["id"]])
    return f"| {match['id']} | {match['story']} | {match['guard']} | {named} |"


def _write(path: Path) -> None:
    path.write_text(filled_in(path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    _write(TABLE)

"""Switches one guard off in a copy of the tree.

A function's body is replaced by one that lets everything pass, a constant by another value, a setting is flipped, a directive's
line is dropped. What "lets everything pass" means is different for each function, so `permissive.toml` says it; only a function
that returns nothing needs no entry: it then does nothing.
"""

import ast
import re
import textwrap
import tomllib
from pathlib import Path
from typing import Any

from tests.house.guard_names import definition, directive_pattern

TABLE = Path(__file__).with_name("permissive.toml")


class CannotDisableError(Exception):
    """Nobody has said how, or the guard is not where the table says."""


def ways() -> dict[str, dict[str, Any]]:
    return tomllib.loads(TABLE.read_text(encoding="utf-8"))


def disable(root: Path, guard: str, way: dict[str, Any]) -> None:
    """Rewrite the file of `guard` below `root` without it. Raises `CannotDisableError`."""
    file, _, name = guard.partition(":")
    path = root / file
    if not path.is_file():
        raise CannotDisableError(f"{file} does not exist")
    source = path.read_text(encoding="utf-8")
    changed = _changed(path.suffix, source, name, way)
    if changed == source:
        raise CannotDisableError(f"switching {guard} off changes nothing")
    path.write_text(changed, encoding="utf-8")


def _changed(suffix: str, source: str, name: str, way: dict[str, Any]) -> str:
    if "replace" in way:
        return _replaced(source, way["replace"], way["by"])
    if suffix == ".py":
        return _python(source, name, way)
    if suffix == ".toml":
        return _flipped(source, name.rpartition(".")[2])
    return "".join(line for line in source.splitlines(keepends=True) if not re.match(directive_pattern(name), line))


def _replaced(source: str, old: str, new: str) -> str:
    if old not in source:
        raise CannotDisableError(f"{old!r} does not occur")
    return source.replace(old, new)


def _python(source: str, name: str, way: dict[str, Any]) -> str:
    node = definition(ast.parse(source), name)
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return _with_body(source, node, way.get("body") or _nothing(node))
    if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None and "value" in way:
        return _with_value(source, node.value, way["value"])
    raise CannotDisableError(f"permissive.toml does not say how to switch {name} off")


def _nothing(node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    if isinstance(node.returns, ast.Constant) and node.returns.value is None:
        return "return None"
    raise CannotDisableError(f"permissive.toml does not say what {node.name} returns when it lets everything pass")


def _with_body(source: str, node: ast.FunctionDef | ast.AsyncFunctionDef, body: str) -> str:
    lines = source.splitlines(keepends=True)
    indented = textwrap.indent(textwrap.dedent(body).strip() + "\n", " " * (node.col_offset + 4))
    first, last = node.body[0], node.end_lineno or node.lineno
    if first.lineno == node.lineno:
        raise CannotDisableError(f"{node.name} is written on one line")
    return "".join([*lines[: first.lineno - 1], indented, *lines[last:]])


def _with_value(source: str, node: ast.expr, value: str) -> str:
    lines = source.splitlines(keepends=True)
    end = node.end_lineno or node.lineno
    head = lines[node.lineno - 1].encode()[: node.col_offset].decode()
    tail = lines[end - 1].encode()[node.end_col_offset :].decode()
    return "".join([*lines[: node.lineno - 1], head, value, tail, *lines[end:]])


def _flipped(source: str, key: str) -> str:
    flip = {"true": "false", "false": "true"}
    return re.sub(
        rf"^(\s*{re.escape(key)}\s*=\s*)(true|false)", lambda found: found[1] + flip[found[2]], source, flags=re.MULTILINE
    )

"""Finds the guards that `docs/security/cases.md` names.

A guard is a function (`hub/x.py:name`, `hub/x.py:Class.name`), a constant (`hub/x.py:NAME`), a setting of a TOML file
(`.streamlit/config.toml:server.enableCORS`), a pin (`requirements.txt:starlette`) or a directive of NGINX's template
(`hub/routing/templates/nginx.conf.j2:underscores_in_headers`).
"""

import ast
import re
import tomllib
from pathlib import Path

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Assign | ast.AnnAssign


def exists(root: Path, guard: str) -> bool:
    file, _, name = guard.partition(":")
    path = root / file
    if not path.is_file() or not name:
        return False
    if path.suffix == ".py":
        return definition(ast.parse(path.read_text(encoding="utf-8")), name) is not None
    if path.suffix == ".toml":
        return _in_toml(tomllib.loads(path.read_text(encoding="utf-8")), name)
    return any(re.match(directive_pattern(name), line) for line in path.read_text(encoding="utf-8").splitlines())


def definition(tree: ast.Module | ast.ClassDef, name: str) -> Definition | None:
    """The function, method or constant of that name; `Class.method` for a method."""
    head, _, rest = name.partition(".")
    for node in tree.body:
        if _defines(node, head):
            if not rest:
                return node  # type: ignore[return-value]
            return definition(node, rest) if isinstance(node, ast.ClassDef) else None
    return None


def _defines(node: ast.stmt, name: str) -> bool:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return node.name == name
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return any(isinstance(target, ast.Name) and target.id == name for target in targets)


def directive_pattern(name: str) -> str:
    """Matches the line of a directive. `proxy_set_header Host` means the directive with that first argument."""
    return r"\s*" + r"\s+".join(re.escape(word) for word in name.split()) + r"(\s|;|==|$)"


def _in_toml(tree: object, name: str) -> bool:
    for part in name.split("."):
        if not isinstance(tree, dict) or part not in tree:
            return False
        tree = tree[part]
    return True

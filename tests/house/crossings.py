"""Finds side effects in the hub's source that do not cross the seam.

The crash tests kill a process before and after each crossing of `hub.seam.crossing`, so they can only be complete if every
commit, process start, signal and write to a workspace is inside one. What counts is the block of source that the effect stands
in: `with crossing("…"):`, in the same function.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

COMMITS = {"commit", "begin"}
PROCESSES = {
    "subprocess.run", "subprocess.Popen", "subprocess.call", "subprocess.check_call", "subprocess.check_output",
    "asyncio.create_subprocess_exec", "asyncio.create_subprocess_shell", "anyio.open_process", "anyio.run_process",
    "os.fork", "os.forkpty", "os.posix_spawn", "os.posix_spawnp", "os.system", "os.popen", "pty.fork", "pty.spawn",
    "multiprocessing.Process",
}  # fmt: skip
PROCESS_PREFIXES = ("os.exec", "os.spawn")
SIGNALS = {"os.kill", "os.killpg", "signal.pidfd_send_signal", "signal.raise_signal"}
SIGNAL_METHODS = {"kill", "terminate", "send_signal"}
WRITES = {
    "os.remove", "os.unlink", "os.rename", "os.replace", "os.rmdir", "os.mkdir", "os.makedirs", "os.link", "os.symlink",
    "os.chmod", "os.chown", "os.truncate", "shutil.rmtree", "shutil.move", "shutil.copy", "shutil.copy2", "shutil.copyfile",
    "shutil.copytree", "shutil.chown", "shutil.unpack_archive",
}  # fmt: skip
WRITE_METHODS = {
    "write_text",
    "write_bytes",
    "mkdir",
    "rmdir",
    "unlink",
    "rename",
    "touch",
    "symlink_to",
    "hardlink_to",
    "chmod",
}
CLUSTER = {
    "create_pod", "patch_pod", "delete_pod", "delete_pods", "apply_secret", "delete_secret", "apply_claim", "delete_claim",
}  # fmt: skip
"""Calls of `hub.spawners.kubernetes.api.Api` that change something in a cluster."""
CHANGING_MODES = set("wax+")


@dataclass(frozen=True)
class Effect:
    line: int
    what: str


def outside(source: str, *, writes: bool) -> Iterator[Effect]:
    """Side effects outside a crossing. `writes`: whether writing files counts too."""
    tree = ast.parse(source)
    yield from _walk(tree, _imported(tree), inside=False, writes=writes)


def _walk(node: ast.AST, names: dict[str, str], *, inside: bool, writes: bool) -> Iterator[Effect]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
        inside = False
    if isinstance(node, ast.With | ast.AsyncWith):
        inside = inside or any(_is_crossing(item.context_expr) for item in node.items)
    if isinstance(node, ast.Call) and not inside:
        what = _effect(node, names, writes=writes)
        if what:
            yield Effect(node.lineno, what)
    for child in ast.iter_child_nodes(node):
        yield from _walk(child, names, inside=inside, writes=writes)


def _is_crossing(expression: ast.expr) -> bool:
    return isinstance(expression, ast.Call) and ast.unparse(expression.func).split(".")[-1] == "crossing"


def _effect(call: ast.Call, names: dict[str, str], *, writes: bool) -> str | None:
    name = _full_name(call.func, names)
    method = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    if name in PROCESSES | SIGNALS or name.startswith(PROCESS_PREFIXES):
        return name
    if method in COMMITS | SIGNAL_METHODS | CLUSTER and name != "os.kill":
        return f".{method}()"
    if writes and (name in WRITES or method in WRITE_METHODS or _opens_for_writing(call, method)):
        return name
    return None


def _opens_for_writing(call: ast.Call, method: str) -> bool:
    if not (method == "open" or (isinstance(call.func, ast.Name) and call.func.id == "open")):
        return False
    mode = next((keyword.value for keyword in call.keywords if keyword.arg == "mode"), None)
    position = 0 if method else 1
    mode = mode or (call.args[position] if len(call.args) > position else None)
    return isinstance(mode, ast.Constant) and isinstance(mode.value, str) and bool(CHANGING_MODES & set(mode.value))


def _full_name(function: ast.expr, names: dict[str, str]) -> str:
    head, _, rest = ast.unparse(function).partition(".")
    return ".".join(part for part in (names.get(head, head), rest) if part)


def _imported(tree: ast.AST) -> dict[str, str]:
    """What each imported name stands for: `from os import kill as end` -> end: os.kill."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.asname: alias.name for alias in node.names if alias.asname}
        if isinstance(node, ast.ImportFrom) and node.module:
            names |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    return names

"""What the agent is told when it is started. `launch` writes it as arguments, the agent reads it back."""

import argparse
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
"""The checkout. `hub.settings` says the same, and would cost the agent the libraries that settings need."""
CODE = ROOT / "user-environment"


@dataclass(frozen=True)
class Options:
    """`code` are the folders that environments import from; `server` and `preload` are modules in them."""

    data: Path
    runtime: Path
    interpreters: tuple[Path, ...]
    memory: int | None = None
    isolation: str = "any"
    uids: str = "2000000000-2147483646"
    ports: str = ""
    outward: str = ""
    group: int | None = None
    """Of accounts that may connect to sockets, beside the agent's own."""
    readable: tuple[Path, ...] = ()
    """Folders that environments may read beside the system's and their own."""
    code: tuple[Path, ...] = (CODE,)
    server: str = "environment.server"
    preload: str = "environment.preload"
    script: Path = CODE / "app" / "main.py"
    detach: bool = False
    """Go on in a process of its own once it listens."""

    def arguments(self) -> list[str]:
        given = [f"--data={self.data}", f"--runtime={self.runtime}", f"--script={self.script}"]
        given += [f"--code={folder}" for folder in self.code]
        given += [f"--server={self.server}", f"--preload={self.preload}"]
        given += [f"--python={interpreter}" for interpreter in self.interpreters]
        given += [f"--isolation={self.isolation}", f"--uids={self.uids}"]
        given += [f"--ports={self.ports}", f"--outward={self.outward}"]
        given += [f"--readable={folder}" for folder in self.readable]
        given += [] if self.group is None else [f"--group={self.group}"]
        return given if self.memory is None else [*given, f"--memory={self.memory}"]

    def fingerprint(self) -> str:
        """Another one where the arguments differ or the code has changed: the running agent is then replaced."""
        digest = hashlib.sha256("\0".join(self.arguments()).encode())
        for folder in (Path(__file__).parent, CODE / "environment"):
            for file in sorted(folder.rglob("*.py")):
                digest.update(file.read_bytes())
        return digest.hexdigest()[:16]


def parse(arguments: Sequence[str]) -> Options:
    parser = argparse.ArgumentParser(prog="python -m hub.spawners.local.agent")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--runtime", type=Path, required=True)
    parser.add_argument("--python", dest="interpreters", type=Path, action="append", required=True)
    parser.add_argument("--memory", type=int)
    parser.add_argument("--isolation", required=True)
    parser.add_argument("--uids", required=True)
    parser.add_argument("--ports", required=True)
    parser.add_argument("--outward", required=True)
    parser.add_argument("--group", type=int)
    parser.add_argument("--readable", type=Path, action="append", default=[])
    parser.add_argument("--code", type=Path, action="append", required=True)
    parser.add_argument("--script", type=Path, required=True)
    parser.add_argument("--detach", action="store_true")
    parser.add_argument("--server", required=True)
    parser.add_argument("--preload", required=True)
    given = parser.parse_args(arguments)
    several = {name: tuple(getattr(given, name)) for name in ("interpreters", "readable", "code")}
    return Options(**vars(given) | several)

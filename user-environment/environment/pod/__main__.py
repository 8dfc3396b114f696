"""The first process of an environment's pod.

The hub mounts what is to run at `SPEC`. This process starts the server, watches over it, and at the
end leaves word in the container's termination message, which is where the hub reads why it ended
and how much memory it took. The image's entry point is `python -m environment.pod MODULE`; `serve`
of that module is the server.
"""

import importlib
import json
import os
import signal
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from environment.pod.limits import Container
from environment.spec import ServerSpec
from environment.supervising.ended import Ended
from environment.supervising.supervisor import AWAITED, Supervisor

SPEC = Path("/run/podium/spec.json")
TERMINATION_MESSAGE = Path("/dev/termination-log")
WORKSPACE = "/workspace"
PORT = 8501
_APP = Path(__file__).resolve().parents[2] / "app" / "main.py"
_FAILED = 2
"""The exit code where nothing could be started."""


class PodRecords:
    """Nobody else looks at this process while it runs: the kubelet knows that it does, and keeps the log small."""

    def started(self, server: int, first: int | None) -> None:
        pass

    def ordered_to_end(self) -> Ended:
        return Ended("stopped")

    def tidy(self) -> None:
        pass


def main(arguments: list[str]) -> int:
    module = arguments[0] if arguments else "environment.server"
    signal.pthread_sigmask(signal.SIG_BLOCK, AWAITED)

    def serve(spec: ServerSpec) -> None:
        importlib.import_module(module).serve(spec)

    try:
        spec = _complete(json.loads(SPEC.read_text()))
        limits = Container(spec["memory"], spec["processes"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        print(f"The environment cannot start: {SPEC} is not what the hub writes: {error}", file=sys.stderr)  # noqa: T201
        return _FAILED
    ended = Supervisor(spec, limits, PodRecords()).run(serve)
    _leave_word(ended)
    return ended.exit_code or 0


def _complete(given: dict[str, Any]) -> dict[str, Any]:
    """What the hub says, with what only the pod knows. The image's own variables stay, the hub's win."""
    server = {
        **given["server"],
        "workspace": WORKSPACE,
        "script": str(_APP),
        "host": os.environ["PODIUM_ADDRESS"],
        "port": PORT,
    }
    return {**given, "server": server, "variables": {**os.environ, **given["variables"]}, "temporary": "/tmp"}  # noqa: S108 (the pod's own)


def _leave_word(ended: Ended) -> None:
    with TERMINATION_MESSAGE.open("w") as message:
        json.dump(asdict(ended), message)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""The server of one environment: a Streamlit app behind the shim, on one socket.

It runs either as a program of its own (`python -m environment.server SPEC.json`) or in a process
that a warm parent has forked (`serve(spec)`), which spares the second that importing Streamlit and
pandas takes. Uvicorn gets the settings that `streamlit run` gives it.
"""

import os
import sys
from pathlib import Path

import uvicorn
from streamlit.runtime.runtime_util import get_max_message_size_bytes
from streamlit.starlette import App

from environment.keys import InvalidKey, KeyRing
from environment.listener import listen
from environment.options import apply
from environment.shim import Shim
from environment.spec import InvalidSpec, ServerSpec
from environment.tab import TabScript
from environment.trouble import show_trouble

__all__ = ["InvalidSpec", "ServerSpec", "serve"]

_PATIENCE_AT_END = 3
"""Seconds that open requests get when the server is told to stop."""


def serve(spec: ServerSpec) -> None:
    """Serve the environment until SIGTERM or SIGINT. Call it from the main thread."""
    ring = KeyRing(spec.start_id, spec.keys)
    _enter(spec)
    apply(spec)
    with listen(spec) as listener:
        if spec.socket is None:
            print("listening on {}:{}".format(*listener.getsockname()[:2]), flush=True)  # noqa: T201 - port 0 is found out here
        uvicorn.Server(_configuration(spec, ring)).run(sockets=[listener])


def _enter(spec: ServerSpec) -> None:
    """The workspace is where the app's relative paths lead; the app's folder is where it imports from."""
    os.environ.update(WORKSPACE_DIR=str(spec.workspace), ENV_ID=spec.environment_id, ENV_NAME=spec.name)
    os.chdir(spec.workspace)
    sys.path.insert(0, str(spec.script.parent))
    sys.argv = [str(spec.script)]


def _configuration(spec: ServerSpec, ring: KeyRing) -> uvicorn.Config:
    app = App(spec.script, on_script_error=show_trouble)
    return uvicorn.Config(
        Shim(TabScript(app, spec.base_url), spec.start_id, ring, spec.base_url),
        access_log=False,
        log_level="warning",
        server_header=False,
        timeout_graceful_shutdown=_PATIENCE_AT_END,
        use_colors=False,
        ws="websockets-sansio",
        ws_max_size=get_max_message_size_bytes(),
        ws_per_message_deflate=False,
        ws_ping_interval=30,
        ws_ping_timeout=30,
    )


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        print("usage: python -m environment.server SPEC.json", file=sys.stderr)  # noqa: T201
        return 2
    try:
        serve(ServerSpec.from_json(Path(arguments[0]).read_text()))
    except (InvalidSpec, InvalidKey, OSError) as error:
        print(f"The environment cannot start. {error}", file=sys.stderr)  # noqa: T201
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

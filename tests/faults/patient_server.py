"""The environment's server in crash tests: quick to start, held up by a file, and a witness against doubles.

While `hold` lies in the workspace it does not begin to listen. Where another server has the same workspace it leaves the file
`double` there, which every crash test looks for.
"""

import fcntl
import os
import time
from pathlib import Path

from environment.spec import ServerSpec

from tests.spawners import stand_in

HOLD, ONLY, DOUBLE = "hold", ".only", "double"


def serve(spec: ServerSpec) -> None:
    workspace = Path(spec.workspace)
    only = os.open(workspace / ONLY, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(only, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        (workspace / DOUBLE).write_text(f"{spec.start_id} found another server here\n")
    while (workspace / HOLD).exists():
        time.sleep(0.01)
    stand_in.serve(spec)

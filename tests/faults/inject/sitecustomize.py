"""Python runs this at the start of every program below a crash test's hub, because this folder is on PYTHONPATH.

It puts the observer on the seam of an agent. Hubs are forked and get theirs from `tests.faults.hub_program`; environments and
their warm parents are given another PYTHONPATH, know nothing of the hub's packages and are left alone.
"""

import os
import sys
from pathlib import Path

if "hub.spawners.local.agent" in sys.orig_argv and "CRASH_FOLDER" in os.environ:
    from tests.faults import observer

    observer.install("agent", Path(os.environ["CRASH_FOLDER"]))

"""Runs a few lines with the environment's interpreter, which has libraries that the hub's does not have."""

import json
import subprocess
from pathlib import Path
from typing import Any

from tests.environment.running import PYTHON, ROOT

_FRAME = """
import json, sys
sys.path.insert(0, {app!r})
from pathlib import Path
from research import figures, preview, tables
from research.conditions import Among, Between, Contains
from research.faults import WorkspaceFault
file = Path({file!r})
try:
{lines}
except WorkspaceFault as fault:
    answer = {{"fault": fault.sentence}}
print(json.dumps(answer, default=str))
"""


def inside(file: Path, lines: str) -> Any:
    """What `lines` leave in `answer`, for the file `file`."""
    indented = "\n".join(f"    {line}" for line in lines.strip().splitlines())
    program = _FRAME.format(app=str(ROOT / "app"), file=str(file), lines=indented)
    done = subprocess.run([PYTHON, "-c", program], capture_output=True, text=True, timeout=120, check=False, cwd=file.parent)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)

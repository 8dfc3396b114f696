"""`/_podium/tab.js`: one script for the hub's page and for those of environments."""

from functools import cache
from pathlib import Path

from starlette.responses import Response

_FILE = Path(__file__).parent / "static" / "tab.js"


@cache
def _text() -> str:
    return _FILE.read_text()


def tab_script() -> Response:
    """Asked for again at each load, so that a new version of Podium brings its own script along."""
    headers = {"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"}
    return Response(_text(), media_type="text/javascript", headers=headers)

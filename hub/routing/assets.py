"""Streamlit's own files: alike for everyone and named by their contents, so the hub serves them on every host.

An environment of another version has files of other names, which it serves itself.
"""

import re
from dataclasses import dataclass, field
from mimetypes import guess_type
from pathlib import Path
from typing import Self

from starlette.concurrency import run_in_threadpool
from starlette.responses import FileResponse, Response
from starlette.types import Receive, Scope, Send

from hub.routing.addresses import Place

ASSET = r"/static/(?:js|css|media)/[A-Za-z0-9_.-]+\.[A-Za-z0-9_-]{8}\.[a-z0-9]+"
"""A file whose name holds a hash of its contents, as a pattern for Python and PCRE."""

_ASSET = re.compile(ASSET)
_HEADERS = {
    "Cache-Control": "public, max-age=31536000, immutable",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
}
HELD_UP_TO = 10**6
"""Bytes of a file that is kept in memory once it was asked for; all such files of Streamlit's are 13 MB together."""


@dataclass(frozen=True)
class Assets:
    """`names` are paths below `/static/`, which lies in `folder`."""

    folder: Path
    names: frozenset[str]
    _held: dict[str, bytes] = field(default_factory=dict)

    @classmethod
    def of(cls, folder: Path) -> Self:
        """Those of the Streamlit that has its page and its other files in this folder."""
        names = (f"/{file.relative_to(folder).as_posix()}" for file in (folder / "static").rglob("*") if file.is_file())
        return cls(folder, frozenset(names))

    def has(self, place: Place, scope: Scope) -> bool:
        """Whether this is a request for one of them, on whatever host."""
        is_read = scope["type"] == "http" and scope["method"] in {"GET", "HEAD"}
        return is_read and place.path in self.names and _ASSET.fullmatch(place.path) is not None

    async def serve(self, place: Place, scope: Scope, receive: Receive, send: Send) -> None:
        """The file, to anybody: a page loads sixty of them, so the small ones come from memory."""
        await (await self._response(place.path))(scope, receive, send)

    async def _response(self, name: str) -> Response:
        file, kind = self.folder / name.lstrip("/"), guess_type(name)[0]
        content = self._held.get(name)
        if content is None:
            if (await run_in_threadpool(file.stat)).st_size > HELD_UP_TO:
                return FileResponse(file, media_type=kind, headers=_HEADERS)
            content = self._held[name] = await run_in_threadpool(file.read_bytes)
        return Response(content, media_type=kind, headers=_HEADERS)

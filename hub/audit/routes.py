"""The export of the audit log: streamed a batch at a time, so that a long one is never held in memory."""

import csv
import io
from collections.abc import Iterator
from datetime import datetime
from urllib.parse import urlencode

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from hub.audit.service import Audit, EventFilter, EventView
from hub.errors import PodiumError
from hub.identity.answers import plain
from hub.identity.person import Person

PATH = "/audit/export"
COLUMNS = ("at", "actor", "act", "subject", "address", "detail")
_HEADERS = {"content-disposition": 'attachment; filename="audit.csv"', "cache-control": "no-store"}


def address_of(which: EventFilter) -> str:
    """Where the file with what meets this filter is; `asked` reads it again."""
    since = which.since.isoformat() if which.since else ""
    asked = {"text": which.text, "actor": which.actor, "act": which.act, "since": since}
    return f"{PATH}?{urlencode({name: value for name, value in asked.items() if value})}"


def asked(query: QueryParams) -> EventFilter:
    """Raises `ValueError` for a time that is none or has no zone, and for a NUL, which PostgreSQL refuses to look for."""
    text, actor, act, since = (query.get(name, "") for name in ("text", "actor", "act", "since"))
    if "\0" in text + actor + act:
        raise ValueError("a NUL is in no text")
    moment = datetime.fromisoformat(since) if since else None
    if moment and moment.tzinfo is None:
        raise ValueError("a time without a zone is none")
    return EventFilter(text, actor, act, since=moment)


class AuditRoutes:
    """`routes` are for the hub's ASGI app, inside the identity middleware."""

    def __init__(self, audit: Audit) -> None:
        self._audit = audit
        self.routes = [Route(PATH, self.export, methods=["GET"])]

    async def export(self, request: Request) -> Response:
        person: Person | None = request.state.person
        if person is None:
            return RedirectResponse("/login?next=/audit", status_code=303)
        try:
            batches = await run_in_threadpool(self._audit.export, person, asked(request.query_params))
        except ValueError:
            return PlainTextResponse("The filter cannot be read. Export from the page Audit.\n", status_code=400)
        except PodiumError as error:
            return plain(error)
        return StreamingResponse(lines_of(batches), media_type="text/csv", headers=_HEADERS)


def lines_of(batches: Iterator[list[EventView]]) -> Iterator[str]:
    """The file, piece by piece."""
    yield _line(COLUMNS)
    for batch in batches:
        yield "".join(_line((row.at.isoformat(), row.actor, row.act, row.subject_id, row.address, row.words)) for row in batch)


def _line(cells: tuple[str, ...]) -> str:
    """A cell that a spreadsheet would take for a formula is quoted first."""
    text = io.StringIO()
    csv.writer(text).writerow(f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell for cell in cells)
    return text.getvalue()

"""The audit log over the API: read only, as everywhere."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import AwareDatetime

from hub.api.callers import Hub, ReadsAudit
from hub.api.paging import PRINTABLE, Page, Pages, Text, page_of
from hub.api.shapes import Event
from hub.audit.service import EventFilter

router = APIRouter(prefix="/audit", tags=["audit"])
Short = Annotated[str, Query(max_length=200, pattern=PRINTABLE)]
Moment = Annotated[AwareDatetime, Query(description="With its time zone.", examples=["2026-01-31T00:00:00Z"])]


@router.get("")
def list_audit(
    caller: ReadsAudit,
    hub: Hub,
    paging: Pages,
    q: Text = "",
    actor: Short = "",
    act: Short = "",
    subject_id: Short = "",
    since: Moment | None = None,
    until: Moment | None = None,
    sort: Literal["at", "-at"] = "-at",
) -> Page[Event]:
    """Who did what to what, when and from where."""
    which = EventFilter(q, actor, act, subject_id, since, until)
    found = hub.audit.search(caller.person, which, paging.page - 1, paging.size, oldest_first=sort == "at")
    return page_of(paging, found, Event.model_validate)

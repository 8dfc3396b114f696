"""The one door to events: written in the transaction of the act itself, read by page and filter, never changed."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, tuple_
from sqlmodel import Session, col, select

from hub.audit.model import Event
from hub.database import Database, holding
from hub.errors import Refused
from hub.identity.model import User
from hub.identity.person import Person

LARGEST_PAGE = 200
MOST_EXPORTED = 100_000
"""Rows of one export; whoever needs more narrows the time."""
_BATCH = 1000


def record(
    session: Session, actor: Person | str | None, act: str, subject_id: str, *, address: str = "", **detail: str
) -> None:
    """Add an event to the caller's transaction.

    `actor` is a person, the id of one who has no session yet, or None where Podium or its operator acted.
    """
    actor_id, where = (actor.user_id, actor.address) if isinstance(actor, Person) else (actor, address)
    session.add(Event(actor_id=actor_id, act=act, subject_id=subject_id, detail=detail, address=where[:64]))


@dataclass(frozen=True)
class EventView:
    """An event with the actor's name for a person to read."""

    id: str
    at: datetime
    actor: str
    actor_id: str | None
    act: str
    subject_id: str
    address: str
    detail: dict[str, str]

    @property
    def words(self) -> str:
        """The detail in one line."""
        return ", ".join(f"{key}: {value}" for key, value in self.detail.items())


@dataclass(frozen=True)
class EventFilter:
    """`text` is looked for in acts, addresses and ids, `actor` in names; the times are whole events' bounds."""

    text: str = ""
    actor: str = ""
    act: str = ""
    subject_id: str = ""
    since: datetime | None = None
    until: datetime | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        found: list[ColumnElement[bool]] = []
        if self.text:
            found.append(holding(self.text, Event.act, Event.address, Event.subject_id))
        if self.actor:
            found.append(holding(self.actor, User.name, User.display_name))
        for field, value in ((Event.act, self.act), (Event.subject_id, self.subject_id)):
            if value:
                found.append(col(field) == value)
        if self.since:
            found.append(col(Event.at) >= self.since)
        if self.until:
            found.append(col(Event.at) < self.until)
        return found


class Audit:
    """Safe to share between threads. Administrators and auditors only."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def search(
        self, person: Person, which: EventFilter = EventFilter(), page: int = 0, size: int = 50, *, oldest_first: bool = False
    ) -> tuple[list[EventView], int]:
        """One page of events, newest first, and how many meet the filter in all. Raises `Refused`."""
        _require_sight(person)
        size, conditions = min(size, LARGEST_PAGE), which.conditions()
        count = select(func.count()).select_from(Event).join(User, _actor(), isouter=True).where(*conditions)
        with self._database.reading() as session:
            rows = _read(session, conditions, size, page * size, oldest_first=oldest_first)
            return rows, session.exec(count).one()

    def acts(self, person: Person) -> list[str]:
        """The words of all acts that ever happened, for a filter."""
        _require_sight(person)
        with self._database.reading() as session:
            return sorted(session.exec(select(Event.act).distinct()).all())

    def export(self, person: Person, which: EventFilter = EventFilter()) -> Iterator[list[EventView]]:
        """What meets the filter, newest first, in batches, `MOST_EXPORTED` events at most. Raises `Refused`."""
        _require_sight(person)
        return self._batches(which)

    def _batches(self, which: EventFilter) -> Iterator[list[EventView]]:
        """Each begins after the last event of the one before, so that what happens meanwhile shifts nothing."""
        older: list[ColumnElement[bool]] = []
        for _ in range(MOST_EXPORTED // _BATCH):
            with self._database.reading() as session:
                rows = _read(session, [*which.conditions(), *older], _BATCH, 0)
            if rows:
                yield rows
            if len(rows) < _BATCH:
                return
            older = [tuple_(col(Event.at), col(Event.id)) < (rows[-1].at, rows[-1].id)]


def story_of(database: Database, subject_id: str, limit: int = 50, offset: int = 0) -> list[EventView]:
    """The newest events about one row, newest first."""
    with database.reading() as session:
        return _read(session, [col(Event.subject_id) == subject_id], limit, offset)


def count_story(database: Database, subject_id: str) -> int:
    with database.reading() as session:
        return session.exec(select(func.count()).select_from(Event).where(Event.subject_id == subject_id)).one()


def _read(
    session: Session, conditions: Collection[ColumnElement[bool]], limit: int, offset: int, *, oldest_first: bool = False
) -> list[EventView]:
    order: tuple[Any, ...] = (col(Event.at).desc(), col(Event.id).desc())
    if oldest_first:
        order = (col(Event.at), col(Event.id))
    query = select(Event, User).join(User, _actor(), isouter=True).where(*conditions).order_by(*order)
    return [_view(event, user) for event, user in session.exec(query.limit(limit).offset(offset)).all()]


def _actor() -> ColumnElement[bool]:
    return col(User.id) == col(Event.actor_id)


def _view(event: Event, user: User | None) -> EventView:
    actor = user.display_name if user else "Podium"
    return EventView(event.id, event.at, actor, event.actor_id, event.act, event.subject_id, event.address, event.detail)


def _require_sight(person: Person) -> None:
    if not person.sees_all:
        raise Refused("Only administrators and auditors may see what everybody did.")

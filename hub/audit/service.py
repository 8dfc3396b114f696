"""Writes events, in the transaction of the act itself: no act without its event, no event without its act."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from hub.audit.model import Event
from hub.database import Database
from hub.identity.model import User


def record(session: Session, actor_id: str | None, act: str, subject_id: str, **detail: str) -> None:
    """Add an event to the caller's transaction. `actor_id` None: Podium itself acted."""
    session.add(Event(actor_id=actor_id, act=act, subject_id=subject_id, detail=detail))


@dataclass(frozen=True)
class EventView:
    """An event with the actor's name for a person to read."""

    at: datetime
    actor: str
    act: str
    detail: dict[str, str]


def story_of(database: Database, subject_id: str, limit: int = 50) -> list[EventView]:
    """The newest events about one row, newest first."""
    with database.reading() as session:
        rows = session.exec(
            select(Event, User)
            .join(User, col(User.id) == col(Event.actor_id), isouter=True)
            .where(Event.subject_id == subject_id)
            .order_by(col(Event.at).desc())
            .limit(limit)
        ).all()
    return [EventView(event.at, user.display_name if user else "Podium", event.act, event.detail) for event, user in rows]

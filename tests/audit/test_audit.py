"""Events: written once, never changed, read by page and filter by those who may."""

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel import select
from starlette.applications import Starlette
from starlette.datastructures import QueryParams
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send

from hub.audit.model import Event
from hub.audit.routes import COLUMNS, PATH, AuditRoutes, address_of, asked, lines_of
from hub.audit.service import Audit, EventFilter, record
from hub.clock import now
from hub.database import Database
from hub.errors import Refused
from hub.identity.model import User
from hub.identity.person import Person
from hub.identity.roles import Role


def person_of(role: Role, user_id: str = "nobody") -> Person:
    return Person(user_id, "grace", "Grace", None, role, "session", now() + timedelta(hours=1), "192.0.2.4")


ADMINISTRATOR = person_of(Role.ADMINISTRATOR)


def written(database: Database, count: int = 1, act: str = "environment launched") -> Audit:
    with database.writing("test events") as session:
        for number in range(count):
            record(session, person_of(Role.USER), act, f"subject-{number}", name=f"run {number}")
    return Audit(database)


@pytest.mark.parametrize("change", ["UPDATE event SET act = 'nothing'", "DELETE FROM event", "TRUNCATE event"])
def test_the_database_itself_refuses_to_change_or_remove_an_event(database: Database, change: str) -> None:
    if database.is_sqlite and change.startswith("TRUNCATE"):
        change = "DELETE FROM event WHERE 1"
    written(database, 3)
    with database.engine.begin() as connection, pytest.raises(DBAPIError, match="never changed"):
        connection.execute(text(change))
    with database.reading() as session:
        assert [event.act for event in session.exec(select(Event)).all()] == ["environment launched"] * 3


def test_an_event_says_who_did_what_when_and_from_where(database: Database) -> None:
    with database.writing("somebody") as session:
        user = User(name="grace", display_name="Grace Hopper")
        session.add(user)
        record(session, person_of(Role.USER, user.id), "environment stopped", "subject", why="done")
        record(session, None, "environment ready", "subject")
    rows, total = Audit(database).search(ADMINISTRATOR)
    assert total == 2
    by_podium, by_grace = sorted(rows, key=lambda row: row.actor != "Podium")
    assert (by_grace.actor, by_grace.act, by_grace.address, by_grace.words) == (
        "Grace Hopper", "environment stopped", "192.0.2.4", "why: done",
    )  # fmt: skip
    assert (by_podium.actor, by_podium.actor_id, by_podium.address) == ("Podium", None, "")


@pytest.mark.parametrize(("role", "sees"), [(Role.USER, False), (Role.AUDITOR, True), (Role.ADMINISTRATOR, True)])
def test_administrators_and_auditors_see_events_and_nobody_else(database: Database, role: Role, *, sees: bool) -> None:
    audit, person = written(database), person_of(role)
    for ask in (lambda: audit.search(person)[0], lambda: audit.acts(person), lambda: list(audit.export(person))):
        if sees:
            assert ask()
        else:
            with pytest.raises(Refused):
                ask()


def test_pages_hold_each_event_once_newest_first(database: Database) -> None:
    audit = written(database, 25)
    pages = [audit.search(ADMINISTRATOR, page=number, size=10) for number in range(3)]
    assert [total for _, total in pages] == [25] * 3
    rows = [row for page, _ in pages for row in page]
    assert len({row.id for row in rows}) == 25
    assert [row.at for row in rows] == sorted((row.at for row in rows), reverse=True)
    assert len(audit.search(ADMINISTRATOR, size=10_000)[0]) == 25


def test_a_filter_narrows_and_its_marks_are_letters(database: Database) -> None:
    audit = written(database, 3)
    written(database, 2, "login")

    def count(which: EventFilter) -> int:
        return audit.search(ADMINISTRATOR, which)[1]

    assert count(EventFilter(act="login")) == 2
    assert count(EventFilter(text="192.0.2")) == 5
    assert count(EventFilter(subject_id="subject-1")) == 2
    assert count(EventFilter(text="%")) == 0
    assert count(EventFilter(actor="nobody of that name")) == 0
    assert count(EventFilter(since=now() + timedelta(hours=1))) == 0
    assert count(EventFilter(until=datetime(2020, 1, 1, tzinfo=UTC))) == 0
    assert audit.acts(ADMINISTRATOR) == ["environment launched", "login"]


def test_an_export_holds_everything_that_meets_the_filter(database: Database) -> None:
    audit = written(database, 1203)
    found = []
    for batch in audit.export(ADMINISTRATOR):
        found += [event.id for event in batch]
        written(database, 7, "what happens meanwhile")
    assert len(found) == len(set(found)) == 1203


def test_a_file_holds_what_its_address_asks_for_and_no_formula(database: Database) -> None:
    audit = written(database, 3)
    with database.writing("somebody") as session:
        record(session, None, "login refused", "=HYPERLINK(1)", name="a, b")
    which = EventFilter(act="login refused", since=now() - timedelta(hours=1))
    again = asked(QueryParams(address_of(which).partition("?")[2]))
    assert again == which
    rows = list(csv.reader(io.StringIO("".join(lines_of(audit.export(ADMINISTRATOR, again))))))
    assert rows[0] == list(COLUMNS)
    assert [row[1:] for row in rows[1:]] == [["Podium", "login refused", "'=HYPERLINK(1)", "", "name: a, b"]]


@pytest.mark.parametrize(
    ("person", "query", "status"),
    [
        (ADMINISTRATOR, "act=login", 200),
        (person_of(Role.AUDITOR), "", 200),
        (person_of(Role.USER), "", 403),
        (None, "", 303),
        (ADMINISTRATOR, "since=yesterday", 400),
        (ADMINISTRATOR, "since=2026-01-01", 400),
        (ADMINISTRATOR, "text=%00", 400),
    ],
)
def test_the_file_is_for_administrators_and_auditors(
    database: Database, person: Person | None, query: str, status: int
) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        routes = Starlette(routes=AuditRoutes(written(database)).routes)
        await routes({**scope, "state": {"person": person}}, receive, send)

    answer = TestClient(app, follow_redirects=False).get(f"{PATH}?{query}")
    assert answer.status_code == status
    assert answer.text.startswith("at,actor") == (status == 200)

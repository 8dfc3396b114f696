"""The hand-over from the hub's host to an environment's own host, and the cookie that comes of it.

The two share no cookie. So the environment's host sets a nonce and sends the browser to the hub;
the hub, which knows the person, answers with a code that works once, for 30 seconds, only together
with that nonce, for that environment and that login; the host swaps it for a cookie of its own,
which counts as long as the login does. A code that leaks, or is planted in another browser, opens
nothing there.
"""

from collections.abc import Collection
from datetime import timedelta

from sqlalchemy import bindparam, delete
from sqlmodel import Session, col, select

from hub.database import Database
from hub.environments.model import Environment
from hub.errors import Refused
from hub.identity import codes
from hub.identity.model import LoginSession, OneTimeCode
from hub.identity.person import Person
from hub.identity.sessions import PEOPLE, Sessions, over
from hub.identity.tokens import digest, new_token
from hub.routing.decisions import Key
from hub.routing.model import Entry

PURPOSE = "entry"
LIFETIME = timedelta(seconds=30)
_BY_ENTRIES = (
    PEOPLE.add_columns(col(Entry.token_hash).label("entry_hash"), col(Environment.slug))
    .join(Entry, col(Entry.session_id) == col(LoginSession.id))
    .join(Environment, col(Environment.id) == col(Entry.environment_id))
    .where(col(Entry.token_hash).in_(bindparam("hashes", expanding=True)))
)


class Entries:
    """Visitors of environments' own hosts. Every method raises `DatabaseSilent`."""

    def __init__(self, database: Database, sessions: Sessions) -> None:
        self._database = database
        self._sessions = sessions

    def people(self, keys: Collection[Key]) -> dict[Key, Person]:
        """Whose entry cookies these are, each on that environment's host, while the login lasts."""
        asked = {(slug, digest(token)): (slug, token) for slug, token in keys}
        found = self._sessions.people(_BY_ENTRIES, hashes=[entry_hash for _, entry_hash in asked])
        return {asked[key]: person for row, person in found if (key := (row.slug, row.entry_hash)) in asked}

    def code(self, person: Person, environment_id: str, binding: str) -> str:
        """A code for the browser whose nonce has this digest."""
        with self._database.writing("entry code") as session:
            return codes.issue(
                session,
                PURPOSE,
                person.user_id,
                LIFETIME,
                binding=binding,
                session_id=person.session_id,
                environment_id=environment_id,
            )

    def redeem(self, slug: str, code: str, nonce: str) -> tuple[str, Person]:
        """Swap a code for an entry cookie's value. Raises `Refused` and uses the code up if it is another host's."""
        with self._database.writing("entry") as session:
            row = codes.spend(session, code, PURPOSE, [digest(nonce)])
            entered = _enter(session, slug, row) if row else None
        person = self._sessions.by_id(entered[1]) if entered else None
        if entered is None or person is None:
            raise Refused("This way in was used already, has expired, or belongs to another browser.")
        return entered[0], person


def _enter(session: Session, slug: str, code: OneTimeCode) -> tuple[str, str] | None:
    """A new cookie's value and the session it belongs to; None where the code is for another environment.

    Cookies of the person's ended sessions go at the same time, so the table stays small.
    """
    here = session.exec(select(Environment.id).where(Environment.slug == slug)).first()
    if here is None or code.environment_id != here or code.session_id is None:
        return None
    session.execute(delete(Entry).where(col(Entry.session_id).in_(over(code.user_id))))
    token = new_token()
    session.add(Entry(token_hash=digest(token), session_id=code.session_id, environment_id=here))
    return token, code.session_id


class HubSessions:
    """Visitors where environments share the hub's host (`ROUTING=path`): the hub's own cookie."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    def people(self, keys: Collection[Key]) -> dict[Key, Person]:
        """The same cookie counts for all environments."""
        found = self._sessions.of_tokens({token for _, token in keys})
        return {key: found[key[1]] for key in keys if key[1] in found}

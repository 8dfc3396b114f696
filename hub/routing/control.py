"""Telling running environments what has changed: sessions that ended, and the signing key's successors.

A signed message goes to the run's own socket. Its answer names all that is in force there, and
only that counts as delivered; what is not acknowledged is sent again at the next round, so neither
a crash of the hub nor one lost message leaves a socket open. Runs are told side by side: one that
hangs delays no other.
"""

import json
import logging
import socket
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException

from sqlalchemy import delete
from sqlmodel import col, select
from sqlmodel.sql.expression import SelectOfScalar

from hub.database import Database
from hub.environments.model import Start
from hub.routing.assertion import ISSUER
from hub.routing.keys import SigningKeys
from hub.routing.model import Revocation
from hub.seam import crossing

KIND = "podium-control+jwt"
LIFETIME = 60
"""Seconds for which one message is valid."""
PATIENCE = 2.0
"""Seconds that one environment gets to answer."""
AT_ONCE = 8
_PATH = "/_podium/control"
_LARGEST = 1 << 20

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Errand:
    """What one run must still hear."""

    start_id: str
    upstream: str
    key_id: str
    revoked: tuple[str, ...]
    successors: tuple[str, ...]


@dataclass(frozen=True)
class Acknowledged:
    """What is in force in a run by its own word."""

    revoked: frozenset[str]
    keys: frozenset[str]


def run_once(database: Database, keys: SigningKeys) -> int:
    """Deliver everything that is due; how many runs acknowledged something. Raises `DatabaseSilent`."""
    errands = _due(database, keys)
    with ThreadPoolExecutor(AT_ONCE, "control") as pool:
        answers = list(pool.map(lambda errand: deliver(keys, errand), errands))
    return sum(_note(database, keys, errand, answer) for errand, answer in zip(errands, answers, strict=True) if answer)


def deliver(keys: SigningKeys, errand: Errand) -> Acknowledged | None:
    """Send one message; None where the environment does not answer, or not with an acknowledgement."""
    try:
        with crossing("control message"):
            status, content = _post(errand.upstream, _message(keys, errand))
        if status != HTTPStatus.OK:
            log.warning("start %s refused a control message with %s", errand.start_id, status)
            return None
        said = json.loads(content)
        return Acknowledged(frozenset(said["revoked"]), frozenset(said["keys"]))
    except (OSError, HTTPException, ValueError, KeyError, TypeError) as error:
        log.info("start %s did not take a control message: %r", errand.start_id, error)
        return None


def _message(keys: SigningKeys, errand: Errand) -> str:
    issued = int(time.time())
    claims = {
        "iss": ISSUER,
        "aud": errand.start_id,
        "iat": issued,
        "exp": issued + LIFETIME,
        "revoked": list(errand.revoked),
        "successors": list(errand.successors),
    }
    return keys.sign(errand.key_id, KIND, claims)


def _post(upstream: str, message: str) -> tuple[int, bytes]:
    """Status and body of the answer. Raises `OSError` or `HTTPException`."""
    connection = _Connection(upstream)
    try:
        connection.request("POST", _PATH, message.encode(), {"Content-Type": "application/jwt"})
        answer = connection.getresponse()
        return answer.status, answer.read(_LARGEST)
    finally:
        connection.close()


class _Connection(HTTPConnection):
    """To `unix:/path` or `address:port`."""

    def __init__(self, upstream: str) -> None:
        self._path = upstream.removeprefix("unix:") if upstream.startswith("unix:") else ""
        super().__init__("environment" if self._path else upstream, timeout=PATIENCE)

    def connect(self) -> None:
        if not self._path:
            super().connect()
            return
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(PATIENCE)
        self.sock.connect(self._path)


def _due(database: Database, keys: SigningKeys) -> list[Errand]:
    """Runs that can be reached and have an ended session or a newer key to hear of."""
    current = keys.current_kid()
    with database.reading() as session:
        waiting = session.exec(select(Revocation.start_id, Revocation.session_id)).all()
        reachable = (col(Start.ended_at).is_(None), col(Start.upstream).is_not(None))
        concerned = col(Start.id).in_([start_id for start_id, _ in waiting]) | (col(Start.key_id) != current)
        starts = session.exec(select(Start).where(*reachable, concerned)).all()
        ended = session.exec(select(Revocation.id).where(col(Revocation.start_id).in_(_ended_runs()))).first()
    if ended:
        _forget_ended_runs(database)
    revoked: dict[str, list[str]] = {}
    for start_id, session_id in waiting:
        revoked.setdefault(start_id, []).append(session_id)
    return [_errand(keys, start, revoked.get(start.id, [])) for start in starts]


def _errand(keys: SigningKeys, start: Start, revoked: Sequence[str]) -> Errand:
    return Errand(start.id, start.upstream or "", start.key_id, tuple(revoked), tuple(keys.endorsements_from(start.key_id)))


def _forget_ended_runs(database: Database) -> None:
    """A run that has ended needs to hear nothing."""
    with database.writing("revocations of ended runs") as session:
        of_ended = col(Revocation.start_id).in_(_ended_runs())
        session.execute(delete(Revocation).where(of_ended).execution_options(synchronize_session=False))


def _ended_runs() -> SelectOfScalar[str]:
    return select(Start.id).where(col(Start.ended_at).is_not(None))


def _note(database: Database, keys: SigningKeys, errand: Errand, answer: Acknowledged) -> bool:
    """Write down what was acknowledged; whether it was anything that was due."""
    heard = answer.revoked.intersection(errand.revoked)
    newest = keys.current_kid()
    renewed = newest in answer.keys and newest != errand.key_id
    with database.writing("acknowledged control message") as session:
        done = (col(Revocation.start_id) == errand.start_id, col(Revocation.session_id).in_(heard))
        session.execute(delete(Revocation).where(*done).execution_options(synchronize_session=False))
        start = session.get(Start, errand.start_id) if renewed else None
        if start is not None:
            start.key_id = newest
    return bool(heard) or renewed

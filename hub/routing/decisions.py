"""May this browser enter that environment, and where does the request go?

One decision for everything that asks: the embedded gateway in this process, and NGINX through
`/routing/authorize`. An answer that allows is kept for two seconds, by host, environment and
cookie together, and dropped at once when its session ends here. While the database is silent the
gateway goes on with the last answer until its assertion ends. A refusal names the page to show,
and what is not yours looks exactly like what does not exist.
"""

import time
from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from threading import Lock
from typing import Protocol

from hub.environments.model import Phase, Target
from hub.environments.views import EnvironmentView
from hub.identity.person import Person
from hub.routing import assertion
from hub.routing.keys import SigningKeys

KEPT = 2.0
"""Seconds for which an answer that allows is used again without asking the database."""
_MOST = 4096


class Environments(Protocol):
    """What routing needs of `hub.environments.service.Environments`."""

    def for_routing(self, slug: str) -> EnvironmentView | None: ...
    def relaunch(self, person: Person, environment_id: str) -> None: ...
    def checkpoints(self, view: EnvironmentView) -> tuple[str, ...]: ...


class Visitors(Protocol):
    """Whose cookie it is, on the host of that environment."""

    def person(self, slug: str, token: str) -> Person | None: ...


class Door(StrEnum):
    """The page that is shown instead of the environment."""

    LOGIN = "login"
    UNKNOWN = "unknown"
    STOPPED = "stopped"
    QUEUED = "queued"
    STARTING = "starting"
    STOPPING = "stopping"
    FAILED = "failed"
    SILENT = "silent"
    """It runs, but does not answer."""
    AWAY = "away"
    """Podium itself cannot decide just now."""
    USED = "used"
    """A hand-over that does not count (any more)."""


@dataclass(frozen=True)
class Allowed:
    """`expires` is when the assertion ends, in Unix seconds."""

    upstream: str
    assertion: str
    expires: int
    session_id: str
    person: Person
    view: EnvironmentView


@dataclass(frozen=True)
class Denied:
    """`view` is set only for the environment's owner."""

    door: Door
    person: Person | None = None
    view: EnvironmentView | None = None


Decision = Allowed | Denied


class Decisions:
    """Safe to share between threads. Asking the database is `decide`; the other two are instant."""

    def __init__(self, environments: Environments, visitors: Visitors, keys: SigningKeys) -> None:
        self._environments = environments
        self._visitors = visitors
        self._keys = keys
        self._lock = Lock()
        self._kept: OrderedDict[tuple[str, str], tuple[float, Allowed]] = OrderedDict()
        self._endings = 0

    def recent(self, slug: str, token: str) -> Allowed | None:
        """An answer of the last two seconds."""
        at, allowed = self._kept.get((slug, token), (0.0, None))
        fresh = allowed is not None and time.monotonic() - at < KEPT and time.time() < allowed.expires
        return allowed if fresh else None

    def last(self, slug: str, token: str) -> Allowed | None:
        """The last answer while its assertion is valid, for the time of a silent database."""
        _, allowed = self._kept.get((slug, token), (0.0, None))
        return allowed if allowed is not None and time.time() < allowed.expires else None

    def decide(self, slug: str, token: str) -> Decision:
        """Ask the database. Raises `DatabaseSilent`."""
        endings = self._endings
        decision = self._decide(slug, token)
        with self._lock:
            if not isinstance(decision, Allowed):
                self._kept.pop((slug, token), None)
            elif endings == self._endings:
                self._keep(slug, token, decision)
        return decision

    def forget(self, session_ids: Collection[str]) -> None:
        """These sessions have ended: no answer of theirs is used again."""
        with self._lock:
            self._endings += 1
            for key in [key for key, (_, allowed) in self._kept.items() if allowed.session_id in session_ids]:
                del self._kept[key]

    def _keep(self, slug: str, token: str, allowed: Allowed) -> None:
        self._kept[slug, token] = (time.monotonic(), allowed)
        self._kept.move_to_end((slug, token))
        if len(self._kept) > _MOST:
            self._kept.popitem(last=False)

    def _decide(self, slug: str, token: str) -> Decision:
        person = self._visitors.person(slug, token) if token else None
        if person is None:
            return Denied(Door.LOGIN)
        view = self._environments.for_routing(slug)
        if view is None or view.owner_id != person.user_id or view.target is Target.DELETED:
            return Denied(Door.UNKNOWN, person)
        door = _door(view)
        return Denied(door, person, view) if door else self._allowed(view, person)

    def _allowed(self, view: EnvironmentView, person: Person) -> Allowed:
        signed = assertion.make(self._keys, view.key_id or "", view.start_id or "", person)
        return Allowed(view.upstream or "", signed.token, signed.expires, person.session_id, person, view)


def _door(view: EnvironmentView) -> Door | None:
    """The page for a phase; None where the environment can be entered."""
    if view.phase is Phase.RUNNING and view.target is Target.RUNNING:
        return None if view.upstream and view.start_id and view.key_id else Door.STARTING
    if view.phase is Phase.RUNNING:
        return Door.STOPPING
    if view.phase in {Phase.STOPPED, Phase.FAILED} and view.target is Target.RUNNING:
        return Door.STARTING
    return Door(view.phase.value)

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


Key = tuple[str, str]
"""An environment's slug, and the cookie that was shown on its address."""


class Environments(Protocol):
    """What routing needs of `hub.environments.service.Environments`."""

    def for_routing(self, slugs: Collection[str]) -> dict[str, EnvironmentView]: ...
    def relaunch(self, person: Person, environment_id: str) -> None: ...
    def checkpoints(self, view: EnvironmentView) -> tuple[str, ...]: ...


class Visitors(Protocol):
    """Whose cookies they are, each on the host of that environment; nobody's are left out."""

    def people(self, keys: Collection[Key]) -> dict[Key, Person]: ...


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
    """Safe to share between threads. Asking the database is `decide_all`; the others are instant."""

    def __init__(self, environments: Environments, visitors: Visitors, keys: SigningKeys) -> None:
        self._environments = environments
        self._visitors = visitors
        self._keys = keys
        self._lock = Lock()
        self._kept: OrderedDict[Key, tuple[float, Allowed]] = OrderedDict()
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

    def decide_all(self, keys: Collection[Key]) -> dict[Key, Decision]:
        """Ask the database once for all of them. Raises `DatabaseSilent`."""
        endings = self._endings
        people = self._visitors.people([key for key in keys if key[1]])
        views = self._environments.for_routing({slug for slug, _ in people}) if people else {}
        decided = {key: self._decide(people.get(key), views.get(key[0])) for key in keys}
        with self._lock:
            for key, decision in decided.items():
                if not isinstance(decision, Allowed):
                    self._kept.pop(key, None)
                elif endings == self._endings:
                    self._keep(key, decision)
        return decided

    def forget(self, session_ids: Collection[str]) -> None:
        """These sessions have ended: no answer of theirs is used again."""
        with self._lock:
            self._endings += 1
            for key in [key for key, (_, allowed) in self._kept.items() if allowed.session_id in session_ids]:
                del self._kept[key]

    def _keep(self, key: Key, allowed: Allowed) -> None:
        self._kept[key] = (time.monotonic(), allowed)
        self._kept.move_to_end(key)
        if len(self._kept) > _MOST:
            self._kept.popitem(last=False)

    def _decide(self, person: Person | None, view: EnvironmentView | None) -> Decision:
        if person is None:
            return Denied(Door.LOGIN)
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

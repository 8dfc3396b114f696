"""Logins at a provider that a test may turn hostile."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from hub.database import Database
from hub.identity.oidc.providers import Provider, Rules
from hub.identity.oidc.service import Browser, Finished, ProviderLogins
from hub.identity.person import Person
from hub.identity.service import IdentityService
from hub.identity.tokens import digest
from tests.identity.oidc.hostile import CLIENT, SECRET, Hostile, Key, serving

ROOT_URL = "http://localhost:8501"
COOKIE = "the cookie of a login page"
KEY = Key("first")  # one for all tests: making it takes longer than most of them


@dataclass
class Visit:
    """Somebody at a browser, with Podium and a provider."""

    hostile: Hostile
    logins: ProviderLogins
    identity: IdentityService
    name: str = "hostile"
    cookie: str = COOKIE
    tokens: list[str] = field(default_factory=list)

    @property
    def browser(self) -> Browser:
        return Browser([digest(self.cookie)], self.tokens, "192.0.2.7", "a browser")

    def begin(self, onward: str = "/", linking: Person | None = None) -> str:
        return self.logins.begin(self.name, onward, digest(self.cookie), linking)

    def log_in(self, subject: str = "subject-1", onward: str = "/") -> Person:
        """All of it; who is logged in then."""
        finished = self.finish(self.hostile.authorize(self.begin(onward), subject))
        self.tokens = [finished.token or ""]
        person = self.identity.sessions.resolve(finished.token or "")
        assert person is not None
        return person

    def finish(self, query: dict[str, str]) -> Finished:
        return self.logins.finish(self.name, query, self.browser)


@pytest.fixture
def hostile() -> Iterator[Hostile]:
    with serving(Hostile(key=KEY)) as one:
        yield one


@pytest.fixture
def visit(visiting: Callable[..., Visit]) -> Visit:
    """A provider that admits everyone, so that nothing but the protocol refuses."""
    return visiting(Rules(allow_everyone=True))


@pytest.fixture
def visiting(hostile: Hostile, database: Database, identity: IdentityService) -> Callable[..., Visit]:
    """A visit at a provider with other rules, or other algorithms."""

    def make(rules: Rules, algorithms: tuple[str, ...] = ("RS256",), client_key: str | None = None) -> Visit:
        secret = None if client_key else SECRET
        provider = Provider(
            "hostile", "Hostile", hostile.issuer, CLIENT, secret, "openid email", algorithms, rules, client_key=client_key
        )
        return Visit(hostile, ProviderLogins(database, identity.sessions, {"hostile": provider}, ROOT_URL), identity)

    return make

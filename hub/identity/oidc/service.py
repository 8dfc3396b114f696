"""The one door to logins at providers: begin, finish, link, log out there.

Who comes back is identified by issuer and subject; the provider's rules say whether they may enter.
A refusal tells a stranger nothing but what to do; the log says why.
"""

import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, delete
from sqlmodel import Session, col, select

from hub.audit.service import record
from hub.clock import now
from hub.database import Database
from hub.errors import Conflict, NotFound, Refused
from hub.identity.model import Approval, Login, LoginAttempt, LoginSession, LogoutSeen, User
from hub.identity.notices import Notice
from hub.identity.oidc import admission, attempts, people, verifying
from hub.identity.oidc.admission import Admission, Verdict
from hub.identity.oidc.client import ProviderClient
from hub.identity.oidc.fetching import ProviderSilent
from hub.identity.oidc.providers import Provider
from hub.identity.oidc.verifying import TokenRefused
from hub.identity.person import Person
from hub.identity.quoting import quoted
from hub.identity.sessions import Sessions, sessions_of, with_tokens
from hub.identity.tokens import digest

_log = logging.getLogger("podium.identity")
LONGEST_REASON = 500
"""Characters of a log line about a provider: an operator has to see the whole of an issuer, and which groups came."""


class LoginRefused(Refused):
    """Nobody was let in; `notice` is what the login page says, `onward` where the person wanted to go."""

    def __init__(self, notice: Notice, onward: str = "/") -> None:
        super().__init__(notice.sentence)
        self.notice, self.onward = notice, onward


@dataclass(frozen=True)
class Browser:
    """What a browser that comes back shows: its cookies' digests and tokens, and where it is."""

    bindings: Collection[str]
    old_tokens: Collection[str]
    address: str
    user_agent: str


@dataclass(frozen=True)
class LinkedLogin:
    """One of a person's ways in. `can_go`: it is a provider's, so it may be unlinked."""

    id: str
    label: str
    can_go: bool
    created_at: datetime
    last_used_at: datetime | None


@dataclass(frozen=True)
class Finished:
    """`token` is the new session's; None where a login was linked to the account."""

    token: str | None
    onward: str


class ProviderLogins:
    """Safe to share between threads."""

    def __init__(self, database: Database, sessions: Sessions, providers: Mapping[str, Provider], root_url: str) -> None:
        self._database, self._sessions = database, sessions
        self.clients = {name: ProviderClient(one, root_url + one.callback) for name, one in providers.items()}

    @property
    def buttons(self) -> dict[str, str]:
        """The providers' names and what their buttons say."""
        return {name: client.provider.label for name, client in self.clients.items()}

    def begin(self, name: str, onward: str, binding: str, linking: Person | None = None) -> str:
        """Where the browser goes to log in there. Raises `NotFound`, `LoginRefused`."""
        client = self._client(name)
        if not binding:
            raise LoginRefused(Notice.COOKIES, onward)
        try:
            client.discovery.metadata()
        except ProviderSilent as error:
            raise self._silent(name, error, onward) from error
        with self._database.writing("login attempt") as session:
            begun = attempts.make(session, name, onward, binding, linking)
        return client.authorization_url(begun.state, begun.nonce, begun.verifier)

    def finish(self, name: str, query: Mapping[str, str], browser: Browser) -> Finished:
        """What a provider's answer is worth. Raises `NotFound`, `LoginRefused`, `Conflict`."""
        client = self._client(name)
        with self._database.writing("login attempt taken") as session:
            attempt = attempts.take(session, name, query.get("state", ""), browser.bindings)
        if attempt is None:
            raise LoginRefused(Notice.LATE)
        if "error" in query:
            _log.info("%s ended a login: %s", name, quoted(query["error"]))
            raise LoginRefused(Notice.CANCELLED, attempt.onward)
        try:
            claims = client.claims(query, attempt.nonce, attempt.verifier)
        except ProviderSilent as error:
            raise self._silent(name, error, attempt.onward) from error
        except TokenRefused as error:
            _log.warning("an answer of %s does not count: %s", name, quoted(error.sentence))
            raise LoginRefused(Notice.REFUSED, attempt.onward) from error
        if attempt.user_id:
            return self._link(client.provider, claims, attempt, browser)
        return Finished(self._enter(client.provider, claims, attempt, browser), attempt.onward)

    def _enter(self, provider: Provider, claims: Mapping[str, Any], attempt: LoginAttempt, browser: Browser) -> str:
        verdict = admission.judge(provider.rules, claims)
        with self._database.writing("login") as session:
            found = people.find(session, provider.issuer, claims["sub"])
            if found is None and verdict.admission is not Admission.REFUSED:
                found = people.create(session, provider, claims, verdict, browser.address)
            notice = self._settled(session, found, claims, verdict)
            token = "" if notice or found is None else self._open(session, *found, claims, browser)
        if notice:
            groups = ", ".join(sorted(admission.groups_in(claims, provider.rules.groups_claim))) or "nothing"
            _log.warning(
                "%s of %s was not let in: %s; the claim %s held: %s", quoted(str(claims["sub"])), provider.name, notice.value,
                provider.rules.groups_claim, quoted(groups, LONGEST_REASON),
            )  # fmt: skip
            raise LoginRefused(notice, attempt.onward)
        return token

    def _settled(
        self, session: Session, found: tuple[Login, User] | None, claims: Mapping[str, Any], verdict: Verdict
    ) -> Notice | None:
        """Why this person may not enter; None where all is well."""
        if found is None:
            return Notice.NOT_ADMITTED
        login, user = found
        if user.disabled_at:
            return Notice.DISABLED
        if not people.is_in(user, verdict):
            return Notice.PENDING if user.approval is Approval.PENDING else Notice.NOT_ADMITTED
        if people.renew(session, login, user, claims, verdict):
            self._sessions.end_in(session, sessions_of(user.id), "role changed")
        return None

    def _open(self, session: Session, login: Login, user: User, claims: Mapping[str, Any], browser: Browser) -> str:
        self._sessions.end_in(session, with_tokens(browser.old_tokens), "replaced by a new login")
        sid = claims.get("sid")
        record(session, user.id, "login", user.id, by=login.issuer, address=browser.address)
        return self._sessions.open_in(
            session, user.id, browser.address, browser.user_agent,
            login_id=login.id, provider_session=sid[:255] if isinstance(sid, str) else None,
        )  # fmt: skip

    def _link(self, provider: Provider, claims: Mapping[str, Any], attempt: LoginAttempt, browser: Browser) -> Finished:
        """Give the account that began this a further login, if the provider would let this person in."""
        people_here = {one.user_id: one for one in map(self._sessions.resolve, browser.old_tokens) if one}
        person = people_here.get(attempt.user_id or "")
        if person is None or person.session_id != attempt.session_id:
            raise LoginRefused(Notice.LATE)
        if admission.judge(provider.rules, claims).admission is Admission.REFUSED:
            raise Conflict(Notice.NOT_ADMITTED.sentence)
        with self._database.writing("login linked") as session:
            found = people.find(session, provider.issuer, claims["sub"])
            if found and found[1].id != person.user_id:
                raise Conflict("That login belongs to another account of Podium. Nothing was linked.")
            if found is None:
                people.attach(session, provider, claims, person.user_id)
                record(session, person, "login linked", person.user_id, issuer=provider.issuer)
        return Finished(None, attempt.onward)

    def of(self, person: Person) -> list[LinkedLogin]:
        """The person's ways in, those of local accounts included, the oldest first."""
        labels = {client.provider.issuer: client.provider.label for client in self.clients.values()}
        with self._database.reading() as session:
            rows = session.exec(select(Login).where(Login.user_id == person.user_id).order_by(col(Login.created_at))).all()
        return [
            LinkedLogin(row.id, labels.get(row.issuer, row.issuer), row.kind == people.OIDC, row.created_at, row.last_used_at)
            for row in rows
        ]

    def unlink(self, person: Person, login_id: str) -> None:
        """Take a login away. Raises `Invalid` for the last one."""
        with self._database.writing("login unlinked") as session:
            if people.unlink(session, person, login_id):
                opened_by_it = (col(LoginSession.login_id) == login_id) & (col(LoginSession.id) != person.session_id)
                self._sessions.end_in(session, opened_by_it, "login unlinked")

    def log_out_url(self, tokens: Collection[str], back: str) -> str | None:
        """Where the browser goes to log out at the provider of its session too; None where nothing offers it."""
        query = select(Login.issuer).join(LoginSession, col(LoginSession.login_id) == col(Login.id))
        with self._database.reading() as session:
            issuer = session.exec(query.where(with_tokens(tokens))).first()
        client = next((one for one in self.clients.values() if one.provider.issuer == issuer), None)
        return client.log_out_url(back) if client else None

    def log_out_from_behind(self, name: str, text: str) -> None:
        """Obey a provider's logout token (OpenID Connect Back-Channel Logout). Raises `TokenRefused`, `ProviderSilent`."""
        client = self._client(name)
        claims = verifying.logout_token(client.provider, client.discovery, text)
        too_old = verifying.end_of(claims) + timedelta(seconds=2 * verifying.LEEWAY)
        with self._database.writing("logout by provider") as session:
            session.execute(delete(LogoutSeen).where(col(LogoutSeen.expires_at) < now()))
            key = digest(f"{client.provider.issuer}\n{claims['jti']}")
            if session.get(LogoutSeen, key):
                raise TokenRefused("this logout was obeyed before")
            session.add(LogoutSeen(token_hash=key, expires_at=too_old))
            for ended in self._sessions.end_in(session, _meant(client.provider, claims), "logged out at the provider"):
                record(session, None, "logout", ended.id, by=client.provider.label)

    def _client(self, name: str) -> ProviderClient:
        if name not in self.clients:
            raise NotFound("There is no such way to log in.")
        return self.clients[name]

    @staticmethod
    def _silent(name: str, error: ProviderSilent, onward: str) -> LoginRefused:
        _log.warning("%s cannot be used: %s", name, quoted(error.sentence, LONGEST_REASON))
        return LoginRefused(Notice.SILENT, onward)


def _meant(provider: Provider, claims: Mapping[str, Any]) -> ColumnElement[bool]:
    """The sessions that a logout token names: one by `sid`, or all of a subject."""
    logins = select(Login.id).where(Login.issuer == provider.issuer)
    if sub := claims.get("sub"):
        logins = logins.where(Login.subject == str(sub))
    meant = col(LoginSession.login_id).in_(logins)
    return meant & (col(LoginSession.provider_session) == str(claims["sid"])) if claims.get("sid") else meant

"""The one door to people: logging in and out, passwords, one-time links, users.

Nothing here tells a stranger whether a name exists. Every act is one transaction with its event in
it; slow work (a password's hash) is done before, so that no one waits for it. Who acts is a
`Person`, or None for the operator at the machine; only administrators and the operator manage
other people, and nobody gives away more rights than they have.
"""

import logging
from collections.abc import Callable, Collection
from datetime import timedelta

from sqlmodel import Session, col

from hub.audit.service import record
from hub.clock import now
from hub.database import Database
from hub.errors import Conflict, Invalid, NotFound, Refused
from hub.identity import api_tokens, codes, failures, links, passwords, users
from hub.identity.administration import Administration, require_administrator
from hub.identity.failures import Failures
from hub.identity.links import LinkView
from hub.identity.model import Approval, LoginSession
from hub.identity.notices import Notice
from hub.identity.person import Person
from hub.identity.quoting import quoted
from hub.identity.roles import Role
from hub.identity.sessions import Sessions, sessions_of, with_tokens
from hub.identity.throttle import Throttle
from hub.identity.users import UserView, view_of

CODE_LIFETIME = timedelta(seconds=60)

_WRONG = "The name or the password is wrong. Check both, or ask an administrator for a link to a new password."
_NO_LOCAL = "Podium keeps no passwords here. Log in with one of the providers."

_log = logging.getLogger("podium.identity")


class IdentityService:
    """Safe to share between threads. `on_disable` stops a user's environments within the same transaction."""

    def __init__(
        self,
        database: Database,
        lifetime: timedelta,
        on_disable: Callable[[Session, str], None],
        throttle: Throttle | None = None,
        *,
        local_accounts: bool = True,
    ) -> None:
        self._local_accounts = local_accounts
        self.sessions = Sessions(database, lifetime)
        self.people = Administration(database, self.sessions)
        self._database = database
        self._on_disable = on_disable
        self._throttle = throttle or Throttle()
        self._failures = Failures(database)

    def log_in_with_password(self, name: str, password: str, form_binding: str, address: str) -> str:
        """A one-time code for the browser whose form cookie has the digest `form_binding`. Raises `Refused`."""
        if not self._local_accounts:
            raise Refused(_NO_LOCAL)
        if not form_binding:
            raise Refused(Notice.COOKIES.sentence)
        name = users.folded(name)
        self._throttle.admit(name, address, form_binding)
        if not self._throttle.knows(name, form_binding):
            self._failures.refuse_guessing(name, address)
        user = self._checked(name, password)
        if user is None:
            self._failures.note(name)
            _log.warning("login refused for %s from %s", quoted(name), quoted(address))
            raise Refused(_WRONG)
        self._throttle.succeeded(name, address, form_binding)
        if user.disabled_at:
            raise Refused(Notice.DISABLED.sentence)
        with self._database.writing("login code") as session:
            return codes.issue(session, codes.LOGIN, user.id, CODE_LIFETIME, binding=form_binding)

    def _checked(self, name: str, password: str) -> UserView | None:
        with self._database.reading() as session:
            found = users.by_name(session, name)
        user, login = found or (None, None)
        right = passwords.check(password, login.password_hash if login else None)
        return view_of(user, [login] if login else []) if user and right else None

    def begin_session(
        self, code: str, bindings: Collection[str], old_tokens: Collection[str], address: str, user_agent: str
    ) -> str:
        """Turn a login code into a session and end the browser's old ones; the cookie's new value. Raises `Refused`."""
        with self._database.writing("login") as session:
            spent = codes.spend(session, code, codes.LOGIN, bindings)
            user = users.get(session, spent.user_id) if spent else None
            if user is None or user.disabled_at or user.approval is Approval.PENDING:
                raise Refused(Notice.LATE.sentence)
            self.sessions.end_in(session, with_tokens(old_tokens), "replaced by a new login")
            login = users.password_login(session, user.id)
            if login:
                login.last_used_at = now()
            token = self.sessions.open_in(session, user.id, address, user_agent, login_id=login.id if login else None)
            record(session, user.id, "login", user.id, by="password", address=address)
        return token

    def log_out(self, tokens: Collection[str]) -> None:
        """End the sessions whose cookies a browser sent."""
        with self._database.writing("logout") as session:
            for ended in self.sessions.end_in(session, with_tokens(tokens), "logged out"):
                record(session, ended.user_id, "logout", ended.id)

    def end_session(self, person: Person, session_id: str, why: str = "ended on the account page") -> None:
        """End one of the person's own sessions; nothing happens where it is not theirs or has ended."""
        with self._database.writing("logout") as session:
            own = (col(LoginSession.id) == session_id) & (col(LoginSession.user_id) == person.user_id)
            ended = self.sessions.end_in(session, own, why)
            if ended:
                record(session, person, "session ended", session_id, why=why)

    def end_other_sessions(self, person: Person) -> None:
        """End the person's sessions in all other browsers."""
        with self._database.writing("other sessions ended") as session:
            ended = self.sessions.end_in(session, sessions_of(person.user_id, person.session_id), "ended on the account page")
            record(session, person, "other sessions ended", person.user_id, count=str(len(ended)))

    def change_password(self, person: Person, old: str, new: str, *, end_others: bool = True) -> None:
        """Raises `Refused` where `old` is wrong, `Invalid` where `new` is too weak."""
        self._throttle.admit(person.name, "", person.session_id)
        if self._checked(person.name, old) is None:
            raise Refused("Your present password is wrong. Nothing was changed.")
        self._throttle.succeeded(person.name, "", person.session_id)
        if old == new:
            raise Invalid("The new password is the one you have. Take another one.")
        password_hash = passwords.hash_new(new, person.name, person.display_name)
        with self._database.writing("password change") as session:
            links.store(session, users.get(session, person.user_id), password_hash)
            if end_others:
                self.sessions.end_in(session, sessions_of(person.user_id, person.session_id), "password changed")
            record(session, person, "password changed", person.user_id)

    def add_user(
        self, name: str, display_name: str, role: Role, *, email: str | None = None, actor: Person | None = None
    ) -> UserView:
        """A new user, who has no password yet. Raises `Invalid`, `Conflict` or `Refused`."""
        require_administrator(actor)
        with self._database.writing("user added") as session:
            user = users.create(session, name, display_name, role, email)
            record(session, actor, "user added", user.id, name=user.name, role=role)
        return view_of(user)

    def make_password_link(self, user_id: str, *, actor: Person | None = None) -> str:
        """The secret part of a one-time link with which that user sets a password."""
        require_administrator(actor)
        with self._database.writing("password link") as session:
            user = users.get(session, user_id)
            record(session, actor, "password link made", user.id)
            return links.make(session, user.id, users.PASSWORD)

    def first_administrator_link(self) -> str | None:
        """The secret part of the first administrator's link; None once an administrator can log in, or where nobody may."""
        if not self._local_accounts:
            return None
        try:
            return self._first_link()
        except Conflict:  # another hub that starts at once has made the administrator
            return self._first_link()

    def _first_link(self) -> str | None:
        with self._database.writing("first administrator link") as session:
            waiting = links.first_administrator(session)
            return links.make(session, waiting.id, links.FIRST) if waiting else None

    def look_at_link(self, token: str) -> LinkView | None:
        """What a link is for; None where it is unknown, used or expired."""
        with self._database.reading() as session:
            return links.look(session, token)

    def set_password_by_link(self, token: str, password: str, name: str = "", display_name: str = "") -> UserView:
        """Spend a link. The names count for the first administrator only. Ends all the user's sessions."""
        link = self.look_at_link(token)
        if link is None:
            raise Refused(links.GONE)
        if link.chooses_name:
            name, display_name = users.checked_name(name), users.checked_display_name(display_name)
        else:
            name, display_name = link.name, link.display_name
        password_hash = passwords.hash_new(password, name, display_name)
        with self._database.writing("password set by link") as session:
            user = links.use(session, token, name, display_name, password_hash)
            self.sessions.end_in(session, sessions_of(user.id), "password set by link")
            failures.forget_in(session, user.name)
            login = users.password_login(session, user.id)
            return view_of(user, [login] if login else [])

    def disable(self, user_id: str, *, actor: Person | None = None) -> None:
        """End a user's sessions and links and stop the environments; workspaces stay."""
        require_administrator(actor)
        if actor and actor.user_id == user_id:
            raise Refused("You cannot disable yourself. Ask another administrator.")
        with self._database.writing("user disabled") as session:
            user = users.get(session, user_id)
            user.disabled_at = user.disabled_at or now()
            for purpose in (*links.PURPOSES, codes.LOGIN):
                codes.withdraw(session, purpose, user_id)
            self.sessions.end_in(session, sessions_of(user_id), "user disabled")
            api_tokens.revoke_all_in(session, user_id)
            self._on_disable(session, user_id)
            record(session, actor, "user disabled", user_id)

    def enable(self, user_id: str, *, actor: Person | None = None) -> None:
        """Let a disabled user log in again; nothing is started."""
        require_administrator(actor)
        with self._database.writing("user enabled") as session:
            users.get(session, user_id).disabled_at = None
            record(session, actor, "user enabled", user_id)

    def find_user(self, name: str) -> UserView:
        """The user of that name. Raises `NotFound`."""
        with self._database.reading() as session:
            found = users.by_name(session, name)
        if found is None:
            raise NotFound("There is no user of that name.")
        user, login = found
        return view_of(user, [login] if login else [])

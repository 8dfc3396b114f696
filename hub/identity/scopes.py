"""What a call of the API may do: named scopes, never more than the person's role at that moment."""

from collections.abc import Collection
from dataclasses import dataclass, replace

from hub.identity.person import Person
from hub.identity.roles import Role

SCOPES = {
    "environments:read": "See your environments, their logs and events",
    "environments:write": "Launch, stop and delete your environments",
    "usage:read": "See what your running environments use",
    "clusters:read": "See what clusters have and how much of it is free",
    "workspaces:read": "See and download your workspaces",
    "workspaces:write": "Make and delete your workspaces",
    "sessions:read": "See where you are logged in",
    "sessions:write": "End your sessions",
    "tokens:read": "See your tokens",
    "tokens:write": "Make and revoke tokens no mightier than this one",
    "admin:environments:read": "See everybody's environments",
    "admin:environments:write": "Stop anybody's environments",
    "admin:users:read": "See people",
    "admin:users:write": "Add, change and disable people",
    "admin:audit:read": "See what everybody did",
}
OWN = frozenset(scope for scope in SCOPES if not scope.startswith("admin:"))
READING = frozenset(scope for scope in SCOPES if scope.endswith(":read"))


def scopes_of(role: Role) -> frozenset[str]:
    """The scopes that a person of this role may give."""
    return {Role.USER: OWN, Role.AUDITOR: OWN | READING, Role.ADMINISTRATOR: frozenset(SCOPES)}[role]


@dataclass(frozen=True)
class Caller:
    """Who calls the API, and what this call may do. `person.role` is no mightier than the scopes."""

    person: Person
    scopes: frozenset[str]
    token_id: str | None = None

    @classmethod
    def of(cls, person: Person) -> "Caller":
        """Somebody who calls in person: a browser's session, or the operator for them."""
        return cls.limited(person, scopes_of(person.role))

    @classmethod
    def limited(cls, person: Person, scopes: Collection[str], token_id: str | None = None) -> "Caller":
        """The person as far as the scopes go."""
        held = frozenset(scopes) & scopes_of(person.role)
        powers = {scope for scope in held if scope.startswith("admin:")}
        role = person.role if powers - READING else Role.AUDITOR if powers else Role.USER
        return cls(replace(person, role=role), held, token_id)

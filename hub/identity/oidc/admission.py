"""Who may enter, and as what: pure decisions over what a provider says of a person.

A provider's claims are compared as they are: groups and domains exactly, `hd` by itself and never
by the e-mail address, and an e-mail address counts only where `email_verified` is the boolean true.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from hub.identity import authenticator
from hub.identity.oidc.providers import Rules
from hub.identity.roles import Role


class Admission(StrEnum):
    ADMITTED = "admitted"
    PENDING = "pending"
    """An administrator may let this person in."""
    REFUSED = "refused"


@dataclass(frozen=True)
class Verdict:
    """`role` is None where this provider's groups give no roles."""

    admission: Admission
    role: Role | None = None


def judge(rules: Rules, claims: Mapping[str, Any]) -> Verdict:
    """What the rules say of somebody with these claims."""
    groups = groups_in(claims, rules.groups_claim)
    role = _role(rules, groups)
    admitted = (
        (role is not None and role is not Role.USER)
        or rules.allow_everyone
        or bool(groups & set(rules.users_groups))
        or email_domain(claims) in {domain.lower() for domain in rules.allowed_email_domains}
        or _hosted_domain(claims) in {domain.lower() for domain in rules.allowed_hosted_domains}
    )
    if admitted:
        return Verdict(Admission.ADMITTED, role)
    return Verdict(Admission.PENDING if rules.approval else Admission.REFUSED, role)


def groups_in(claims: Mapping[str, Any], path: str) -> frozenset[str]:
    """The groups that a claim lists; `realm_access.roles` leads into a claim, unless one bears that very name."""
    value: Any = claims.get(path)
    if value is None:
        value = claims
        for part in path.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
    if isinstance(value, str):
        return frozenset({value})
    return frozenset(one for one in value if isinstance(one, str)) if isinstance(value, list) else frozenset()


def verified_email(claims: Mapping[str, Any]) -> str | None:
    """The address, where the provider vouches for it; None otherwise."""
    email = claims.get("email")
    if claims.get("email_verified") is not True or not isinstance(email, str) or not authenticator.is_email(email):
        return None
    return email


def email_domain(claims: Mapping[str, Any]) -> str | None:
    """The domain of a verified address with exactly one @; None otherwise, and for what is no plain domain."""
    email = verified_email(claims)
    if email is None or email.count("@") != 1 or '"' in email:
        return None
    domain = email.partition("@")[2]
    return domain.lower() if domain.isascii() and not domain.endswith(".") else None


def _hosted_domain(claims: Mapping[str, Any]) -> str | None:
    domain = claims.get("hd")
    return domain.lower() if isinstance(domain, str) and domain else None


def _role(rules: Rules, groups: frozenset[str]) -> Role | None:
    if not rules.give_roles:
        return None
    if groups & set(rules.admin_groups):
        return Role.ADMINISTRATOR
    return Role.AUDITOR if groups & set(rules.auditor_groups) else Role.USER

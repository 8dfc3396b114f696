"""Whom a provider's rules let in: near misses are refused, and an empty list admits nobody."""

from typing import Any

import pytest

from hub.identity.oidc.admission import Admission, groups_in, judge
from hub.identity.oidc.providers import Rules
from hub.identity.roles import Role

GOOD = {"email": "grace@corp.org", "email_verified": True}


def admits(claims: dict[str, Any], **rules: Any) -> bool:
    return judge(Rules(**rules), claims).admission is Admission.ADMITTED


@pytest.mark.case("CVE-2020-26250")
def test_without_a_rule_nobody_enters() -> None:
    assert not Rules().admit_somebody
    assert not admits({**GOOD, "hd": "corp.org", "groups": ["users", ""]})


@pytest.mark.case("CVE-2024-27918", "CVE-2026-40574")
@pytest.mark.parametrize(
    "email",
    [
        "eve@evilcorp.org", "eve@corp.org.evil.com", "eve@sub.corp.org", "eve@corp.orgx", "eve@evil.com@corp.org",
        '"eve@evil.com"@corp.org', "eve@corp.org.", "eve@corp.org\n", "eve@corp\u2024org", "eve@c\u043erp.org",
        "eve\uff20corp.org", "@corp.org", "corp.org", "", "eve@", "eve@evil.com,eve@corp.org", "eve@evil.com eve@corp.org", 5,
        None,
        ["eve@corp.org"],
    ],
)  # fmt: skip
def test_an_address_of_almost_that_domain_is_refused(email: object) -> None:
    assert not admits({"email": email, "email_verified": True}, allowed_email_domains=("corp.org",))


@pytest.mark.parametrize("email", ["grace@corp.org", "Grace.Hopper+x@CORP.org"])
def test_an_address_of_exactly_that_domain_is_admitted(email: str) -> None:
    assert admits({"email": email, "email_verified": True}, allowed_email_domains=("Corp.org",))


@pytest.mark.case("A7-11", "CVE-2026-33175")
@pytest.mark.parametrize("verified", [False, None, "true", "false", 0, 1, [True]])
def test_only_the_boolean_true_makes_an_address_count(verified: object) -> None:
    assert not admits({**GOOD, "email_verified": verified}, allowed_email_domains=("corp.org",))


@pytest.mark.case("CVE-2024-29033", "GHSA-gprj-3p75-f996")
@pytest.mark.parametrize("domain", [None, "other.org", "", "evilcorp.org", ["corp.org"], True])
def test_a_workspace_is_told_by_its_own_claim_and_never_by_the_address(domain: object) -> None:
    assert not admits({**GOOD, "hd": domain}, allowed_hosted_domains=("corp.org",))
    assert admits({**GOOD, "hd": "corp.org"}, allowed_hosted_domains=("corp.org",))


@pytest.mark.case("CVE-2018-7206")
@pytest.mark.parametrize(
    "groups",
    [
        ["user"],
        ["users2"],
        ["Users"],
        [" users"],
        ["users/sub"],
        ["/users"],
        [],
        None,
        {"users": True},
        [["users"]],
        5,
        "u",
        "users,x",
    ],
)
def test_a_group_of_almost_that_name_is_refused(groups: object) -> None:
    assert not admits({"groups": groups}, users_groups=("users",))


def test_groups_lie_where_the_provider_has_them() -> None:
    keycloak = {"realm_access": {"roles": ["users", "x"]}}
    assert admits(keycloak, users_groups=("users",), groups_claim="realm_access.roles")
    assert admits({"https://corp.org/roles": ["users"]}, users_groups=("users",), groups_claim="https://corp.org/roles")
    assert groups_in({"groups": "users"}, "groups") == {"users"}
    assert groups_in({"realm_access": "x"}, "realm_access.roles.more") == frozenset()


def test_groups_give_roles_and_the_mightier_one_wins() -> None:
    rules = Rules(users_groups=("users",), auditor_groups=("auditors",), admin_groups=("admins",))
    roles = {
        ("users",): Role.USER, ("auditors",): Role.AUDITOR, ("admins",): Role.ADMINISTRATOR,
        ("users", "admins", "auditors"): Role.ADMINISTRATOR,
    }  # fmt: skip
    for groups, role in roles.items():
        verdict = judge(rules, {"groups": list(groups)})
        assert (verdict.admission, verdict.role) == (Admission.ADMITTED, role)
    assert judge(rules, {"groups": ["others"]}).admission is Admission.REFUSED


def test_a_provider_whose_groups_give_no_roles_says_nothing_about_them() -> None:
    assert judge(Rules(allow_everyone=True), {"groups": ["admins"]}).role is None


def test_who_meets_no_rule_may_ask_where_that_is_allowed() -> None:
    assert judge(Rules(approval=True, users_groups=("users",)), {}).admission is Admission.PENDING

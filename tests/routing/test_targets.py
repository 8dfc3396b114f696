"""Paths, hosts and request lines that proxies and applications read differently: refused, or read as one."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.clusters.model import LOCAL
from hub.routing.addresses import Addresses, Kind, host_name
from hub.routing.targets import is_refused
from tests.routing.front import Front

TRICKS = [
    pytest.param("..%2fbold-otter/x", id="A3-1", marks=pytest.mark.case("A3-1")),
    pytest.param("%2e%2e/bold-otter/x", id="A3-2a", marks=pytest.mark.case("A3-2")),
    pytest.param("%2E%2E/bold-otter/x", id="A3-2b", marks=pytest.mark.case("A3-2")),
    pytest.param("x%2f..%2fbold-otter/x", id="A3-2c", marks=pytest.mark.case("A3-2")),
    pytest.param("/bold-otter/x", id="A3-2d", marks=pytest.mark.case("A3-2")),
    pytest.param("..;/bold-otter/x", id="A3-3a", marks=pytest.mark.case("A3-3")),
    pytest.param("..%5cbold-otter/x", id="A3-3b", marks=pytest.mark.case("A3-3")),
    pytest.param("%252e%252e/bold-otter/x", id="A3-3c", marks=pytest.mark.case("A3-3")),
    pytest.param("%25252e%25252e%25252fbold-otter/x", id="A3-3d", marks=pytest.mark.case("A3-3")),
    pytest.param("%0d%0aX-Evil:1", id="A3-4", marks=pytest.mark.case("A3-4")),
    pytest.param("../bold-otter/x", id="dots", marks=pytest.mark.case("A3-9")),
    pytest.param("./x", id="dot", marks=pytest.mark.case("A3-9")),
    pytest.param("..", id="dots-at-the-end", marks=pytest.mark.case("A3-9")),
    pytest.param("x%00y", id="nul", marks=pytest.mark.case("A3-9")),
    pytest.param("x%7fy", id="delete", marks=pytest.mark.case("A3-9")),
    pytest.param("..\\bold-otter\\x", id="backslash", marks=pytest.mark.case("CVE-2026-33682")),
    pytest.param("/x", id="two-slashes", marks=pytest.mark.case("CVE-2026-33682")),
    pytest.param("%5c%5cx", id="unc", marks=pytest.mark.case("CVE-2024-42474")),
    pytest.param("component/..%2f..%2fetc/passwd", id="component", marks=pytest.mark.case("CVE-2022-35918")),
    pytest.param("x%zz", id="no-escape", marks=pytest.mark.case("A3-9")),
    pytest.param("x%", id="half-an-escape", marks=pytest.mark.case("A3-9")),
    pytest.param("x#y", id="fragment", marks=[pytest.mark.case("A3-9"), pytest.mark.case("GHSA-pxq7-h93f-9jrg")]),
    pytest.param("x\x7fy", id="raw-control", marks=pytest.mark.case("A3-9")),
    pytest.param("x\xe4y", id="raw-latin", marks=pytest.mark.case("A3-9")),
    pytest.param("x" * 9000, id="long", marks=pytest.mark.case("A3-9")),
]


@pytest.mark.parametrize("trick", TRICKS)
def test_a_target_that_no_browser_sends_is_refused_before_any_decision(front: Front, trick: str) -> None:
    cookie = front.cookie(front.alice, "calm-heron")
    before = len(front.echo.targets)
    status, _ = front.raw_get(f"{front.prefix('calm-heron')}/{trick}", front.host("calm-heron"), cookie)
    assert status == 400
    assert len(front.echo.targets) == before


NO_PATHS = [
    "http://evil.example/",
    "http://bold-otter.localhost/echo",
    "http://localhost/user/bold-otter/echo",
    "@google.com",
    "*",
    "echo",
    "evil.example:80",
    "//evil.example/%2e%2e",
    "///evil.example",
    "/\\evil.example",
]


@pytest.mark.case("CVE-2026-111931")
@pytest.mark.case("A3-5")
@pytest.mark.case("PYSEC-2026-248")
@pytest.mark.case("A2-8")
def test_a_target_that_is_no_path_is_refused(front: Front) -> None:
    before = len(front.echo.targets)
    for target in NO_PATHS:
        status, answer = front.raw_get(target, front.host("calm-heron"), front.cookie(front.alice, "calm-heron"))
        assert (target, status) == (target, 400)
        assert b"ocation: " not in answer
    assert len(front.echo.targets) == before


HOSTS = [
    "",
    "a/_stcore/health?",
    "calm-heron.localhost.",
    "calm-heron.localhost:x",
    "calm-heron.localhost:99999999",
    "a b",
    "a@b",
    "[::1",
]


@pytest.mark.case("CVE-2026-48710")
def test_a_host_that_is_no_plain_name_is_refused(front: Front) -> None:
    cookie = front.cookie(front.alice, "calm-heron")
    for host in HOSTS:
        status, _ = front.raw_get(front.prefix("calm-heron") + "/echo", host, cookie)
        assert (host, status) == (host, 400)


def test_two_host_headers_are_refused(front: Front) -> None:
    host = front.host("calm-heron")
    for other in ("evil.example", host, front.host("bold-otter")):
        status, _ = front.raw_get("/echo", host, front.cookie(front.alice, "calm-heron"), f"Host: {other}\r\n")
        assert status == 400


@pytest.mark.case("CVE-2026-111927")
@pytest.mark.case("A2-2")
@pytest.mark.parametrize(
    "host",
    ["evil.example", "localhost.evil.example", "localhostile", "calm-heron.localhost.evil.example", "a.calm-heron.localhost"],
)
def test_a_foreign_host_is_nobodys_address(front: Front, host: str) -> None:
    before = len(front.echo.targets)
    status, _ = front.raw_get("/echo", host, front.cookie(front.alice, "calm-heron"))
    assert status == 421
    assert len(front.echo.targets) == before


def test_the_case_of_a_host_does_not_matter(front: Front) -> None:
    target = front.prefix("calm-heron") + "/echo"
    status, _ = front.raw_get(target, front.host("calm-heron").upper(), front.cookie(front.alice, "calm-heron"))
    assert status == 200


@pytest.mark.case("CVE-2026-76835")
@pytest.mark.case("A3-8")
@pytest.mark.parametrize(
    "name", ["X-Forwarded-Uri", "X-Original-URI", "X-Original-URL", "X-Rewrite-URL", "X-Forwarded-Host", "X-Podium-Environment"]
)
def test_no_header_changes_whose_environment_is_asked_for(front: Front, name: str) -> None:
    cookie = front.cookie(front.alice, "calm-heron")
    value = "/user/bold-otter/echo" if name.endswith(("Uri", "URI", "URL")) else "bold-otter"
    response = front.get("calm-heron", "/echo", cookie=cookie, headers={name: value})
    assert response.json()["path"].endswith("/echo")
    assert "bold-otter" not in response.text
    other = front.get("bold-otter", "/echo", cookie=cookie, headers={name: value.replace("bold-otter", "calm-heron")})
    assert other.status_code in {401, 404}


@pytest.mark.case("CVE-2025-54576")
@pytest.mark.parametrize("query", ["/static/js/index.AbCd_123.js", "/_podium/tab.js", "/_podium/page", "/health", "/login"])
def test_what_stands_after_a_question_mark_opens_nothing(front: Front, query: str) -> None:
    for path in ("/echo", "/", "/_podium/alive"):
        assert front.get("calm-heron", f"{path}?{query}").status_code == 401
        assert front.get("calm-heron", f"{path}?x={query}").status_code == 401


@given(st.binary(max_size=60))
def test_what_is_not_refused_has_one_reading(rest: bytes) -> None:
    """Decoding what passes, however often, never adds a slash, a dot segment or a control character."""
    target = b"/" + rest
    if is_refused(target):
        return
    path = target.partition(b"?")[0].decode()
    for _ in range(5):
        decoded = re.sub("%([0-9a-fA-F]{2})", lambda found: chr(int(found[1], 16)), path)
        assert decoded.count("/") == target.partition(b"?")[0].count(b"/")
        assert not {".", ".."} & set(decoded.split("/"))
        assert not re.search(r"[\x00-\x1f\x7f\\;]", decoded)
        path = decoded


BY_HOST = Addresses(by_host=True, root="https://hub.example.org", domain="env.example.org")
BY_PATH = Addresses(by_host=False, root="http://192.0.2.7:8501", domain="192.0.2.7")


def test_addresses_are_built_and_read_by_host() -> None:
    assert BY_HOST.environment("calm-heron", LOCAL, "/x?y=1") == "https://calm-heron.env.example.org/x?y=1"
    place = BY_HOST.read([b"Calm-Heron.ENV.example.org:443"], "/x")
    assert place is not None
    assert (place.kind, place.slug, place.path, place.prefix) == (Kind.ENVIRONMENT, "calm-heron", "/x", "")


def test_another_cluster_has_a_domain_of_its_own_which_is_read_too() -> None:
    both = replace(BY_HOST, others={"gpu-centre": "gpu.example.net"})
    assert both.environment("calm-heron", "gpu-centre") == "https://calm-heron.gpu.example.net/"
    assert both.environment("calm-heron", LOCAL) == "https://calm-heron.env.example.org/"
    read = [
        both.read([host], "/x") for host in (b"calm-heron.gpu.example.net", b"calm-heron.env.example.org", b"gpu.example.net")
    ]
    assert [(place.kind, place.slug) for place in read if place] == [
        (Kind.ENVIRONMENT, "calm-heron"), (Kind.ENVIRONMENT, "calm-heron"), (Kind.ELSEWHERE, ""),
    ]  # fmt: skip


@pytest.mark.case("A8-13")
@pytest.mark.case("A3-12")
def test_by_host_a_path_names_no_environment() -> None:
    place = BY_HOST.read([b"hub.example.org"], "/user/calm-heron/")
    assert place is not None
    assert place.kind is Kind.HUB


def test_addresses_are_built_and_read_by_path() -> None:
    assert BY_PATH.environment("calm-heron", LOCAL, "/x") == "http://192.0.2.7:8501/user/calm-heron/x"
    place = BY_PATH.read([b"192.0.2.7:8501"], "/user/calm-heron/x")
    assert place is not None
    assert (place.kind, place.slug, place.path, place.prefix) == (Kind.ENVIRONMENT, "calm-heron", "/x", "/user/calm-heron")


@pytest.mark.parametrize("slug", ["-a", "a-", "A", "a_b", "a.b", "", "a" * 41])
def test_what_is_no_slug_is_no_environment(slug: str) -> None:
    by_path, by_host = BY_PATH.read([b"192.0.2.7"], f"/user/{slug}/"), BY_HOST.read([f"{slug}.env.example.org".encode()], "/")
    assert by_path is not None
    assert by_path.kind is Kind.HUB
    assert slug == "A" or by_host is None or by_host.kind is Kind.ELSEWHERE


@given(st.binary(max_size=30))
def test_a_host_is_read_with_certainty_or_not_at_all(host: bytes) -> None:
    name = host_name([host])
    assert name is None or re.fullmatch(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*|[0-9a-f:.]+", name)

"""The routes of login on a hub that is served for real: cookies, limits, headers, sockets."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

from hub.identity import codes
from hub.identity.headers import SecurityHeaders, content_security_policy, inline_script_hashes
from hub.identity.tokens import digest
from hub.settings import Settings
from tests.identity.conftest import Hub, browse, cookie, eventually, register

FORM = "the cookie of a login form"
pytestmark = pytest.mark.usefixtures("grace")


@pytest.fixture(scope="module")
def grace(hub: Hub) -> str:
    """Her user id."""
    return register(hub.identity, "grace").id


def code_for(hub: Hub, user_id: str) -> str:
    """What the login page gives for the right password."""
    with hub.database.writing("test code") as session:
        return codes.issue(session, "login", user_id, timedelta(seconds=60), binding=digest(FORM))


def begin(hub: Hub, user_id: str, **fields: str) -> httpx.Response:
    with hub.client() as client:
        headers = {"cookie": f"__Host-podium-form={FORM}"}
        return client.post("/auth/session", data={"code": code_for(hub, user_id), **fields}, headers=headers)


def get(hub: Hub, path: str, token: str) -> httpx.Response:
    with hub.client() as client:
        return client.get(path, headers={"cookie": f"__Host-podium={token}"})


@contextmanager
def socket(hub: Hub, token: str, **more: str) -> Iterator[ClientConnection]:
    """A page's socket, as Streamlit's script opens it."""
    headers = {"cookie": f"__Host-podium={token}", **more}
    address = f"ws://localhost:{hub.port}/_stcore/stream"
    origin, protocols = Origin(hub.url), [Subprotocol("streamlit")]
    with connect(address, origin=origin, subprotocols=protocols, additional_headers=headers, max_size=None) as connection:
        yield connection


def closed(connection: ClientConnection, seconds: float, received: list[str | bytes] | None = None) -> int:
    """The code with which the hub closes the socket within that time; what came before goes to `received`."""
    frames = [] if received is None else received
    deadline = time.monotonic() + seconds
    while True:
        try:
            frames.append(connection.recv(timeout=max(deadline - time.monotonic(), 0.001)))
        except ConnectionClosed as end:
            return end.rcvd.code if end.rcvd else 1006


@pytest.mark.case("A8-1")
def test_a_login_sets_one_guarded_cookie_and_goes_on(hub: Hub, grace: str) -> None:
    answer = begin(hub, grace, next="/workspaces")
    assert (answer.status_code, answer.headers["location"]) == (303, "/workspaces")
    (header,) = answer.headers.get_list("set-cookie")
    assert header.startswith("__Host-podium=")
    assert header.endswith("; Path=/; HttpOnly; SameSite=Lax; Secure; Max-Age=28800")
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.case("A8-3")
@pytest.mark.case("CVE-2021-41247")
def test_the_session_of_before_is_over_after_a_login(hub: Hub, grace: str) -> None:
    planted, _ = browse(hub.identity, "grace")
    with hub.client() as client:
        headers = {"cookie": f"__Host-podium={planted}; __Host-podium-form={FORM}"}
        answer = client.post("/auth/session", data={"code": code_for(hub, grace)}, headers=headers)
    assert cookie(answer, "__Host-podium") != planted
    assert get(hub, "/account", planted).headers["location"] == "/login?next=%2Faccount"


@pytest.mark.case("T-RED")
@pytest.mark.case("CVE-2019-10255")
@pytest.mark.case("CVE-2026-33709")
@pytest.mark.parametrize(
    "elsewhere",
    [
        "relative/path", "https://evil.example", "ftp://evil.example", "//evil.example", "///evil.example", "\\\\evil.example",
        "/\\evil.example", "/%5cevil.example", "/%2f/evil.example", "https:evil.example", "https:/evil.example",
        "{own}//evil.example", "{own}////evil.example", "https://localhost@evil.example", "https://localhost.evil.example",
        "https://evil.example#@localhost", "/\t/evil.example", "/\n/evil.example", "/\r\nSet-Cookie: a=b",
        "javascript:alert(1)", "data:text/html,x", "\u2215\u2215evil.example",
        "/\uff0fevil.example", "  //evil.example", "/" + "x" * 10_000, "",
    ],
)  # fmt: skip
def test_after_a_login_nobody_is_sent_elsewhere(hub: Hub, grace: str, elsewhere: str) -> None:
    answer = begin(hub, grace, next=elsewhere.replace("{own}", hub.url))
    assert (answer.status_code, answer.headers["location"]) == (303, "/")


def test_a_code_that_is_late_or_another_browser_s_leads_back_to_the_login(hub: Hub, grace: str) -> None:
    with hub.client() as client:
        answer = client.post("/auth/session", data={"code": code_for(hub, grace), "next": "/account"})
    assert answer.headers["location"] == "/login?again=late&next=%2Faccount"
    assert "set-cookie" not in answer.headers


@pytest.mark.case("A8-5")
@pytest.mark.case("A2-3")
def test_logging_out_clears_the_cookies_and_ends_the_session(hub: Hub) -> None:
    token, _ = browse(hub.identity, "grace")
    assert get(hub, "/account", token).status_code == 200
    with hub.client() as client:
        answer = client.post("/auth/logout", headers={"cookie": f"__Host-podium={token}"})
    assert answer.headers["location"] == "/login?again=out"
    assert [header.partition(";")[0] for header in answer.headers.get_list("set-cookie")] == [
        "__Host-podium=",
        "__Host-podium-form=",
    ]
    assert get(hub, "/account", token).status_code == 303
    assert hub.identity.sessions.resolve(token) is None


@pytest.mark.case("A2-4")
@pytest.mark.parametrize("why", ["password changed", "user disabled"])
def test_an_old_cookie_is_refused_after(hub: Hub, why: str) -> None:
    user = register(hub.identity, why.replace(" ", "-"))
    token, person = browse(hub.identity, user.name)
    assert get(hub, "/", token).status_code == 200
    if why == "user disabled":
        hub.identity.disable(user.id)
    else:
        hub.identity.sessions.end_all(person.user_id, why)
    assert get(hub, "/", token).headers["location"] == "/login"


@pytest.mark.case("CVE-2026-54338")
@pytest.mark.parametrize("path", ["/auth/session", "/auth/logout"])
def test_ten_megabytes_are_refused_unread(hub: Hub, path: str) -> None:
    def pieces() -> Iterator[bytes]:
        yield b"name="
        for _ in range(160):
            yield b"x" * 65536

    with hub.client() as client:
        said = client.post(path, data={"name": "x" * 10_000_000}, timeout=30)
        assert said.status_code == (413 if path == "/auth/session" else 303)
        if path == "/auth/session":
            assert client.post(path, content=pieces(), timeout=30).status_code == 413
    assert "xxx" not in hub.log.read_text("utf-8", "replace")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/auth/session"), ("GET", "/auth/logout"), ("POST", "/auth/login"), ("GET", "/auth"),
        ("GET", "/auth/"), ("PUT", "/auth/session"), ("GET", "/auth/callback"), ("GET", "/oauth2callback"),
        ("GET", "/api"), ("GET", "/api/"), ("GET", "/api/v1/no-such-thing"), ("GET", "/API/x"), ("GET", "/AUTH/x"),
        ("GET", "/routing"), ("GET", "/routing/"), ("GET", "/routing/authorise"), ("GET", "/Routing/x"),
    ],
)  # fmt: skip
def test_there_is_nothing_else_below_auth_api_and_routing(hub: Hub, method: str, path: str) -> None:
    with hub.client() as client:
        assert client.request(method, path).status_code == 404


@pytest.mark.case("A8-12")
def test_every_answer_of_the_hub_is_closed_to_frames_and_guessing(hub: Hub) -> None:
    token, _ = browse(hub.identity, "grace")
    for path in ("/login", "/account", "/auth/nothing", "/health", "/_stcore/health"):
        headers = get(hub, path, token).headers
        policy = dict(part.strip().partition(" ")[::2] for part in headers["content-security-policy"].split(";"))
        assert policy["frame-ancestors"] == policy["object-src"] == policy["base-uri"] == "'none'"
        assert policy["default-src"] == policy["form-action"] == policy["connect-src"] == "'self'"
        assert "unsafe-inline" not in policy["script-src"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["cross-origin-opener-policy"] == headers["cross-origin-resource-policy"] == "same-origin"
        assert headers["referrer-policy"] == "same-origin"
        assert "strict-transport-security" not in headers


@pytest.mark.case("A8-11")
def test_over_https_browsers_are_told_to_stay_there_for_a_year() -> None:
    guarded = SecurityHeaders(lambda *_: None, Settings(base_domain="hub.example.org", tls_enabled=True))  # type: ignore[arg-type]
    assert guarded._headers["strict-transport-security"] == "max-age=31536000"


def test_inline_scripts_of_the_page_are_allowed_by_their_hash() -> None:
    hashes = inline_script_hashes("<script>alert(1)</script><script src='x'></script>")
    assert hashes == ["'sha256-bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI='"]
    assert hashes[0] in content_security_policy(hashes)


@pytest.mark.case("A8-5")
@pytest.mark.case("A8-6")
def test_a_session_that_another_process_ended_loses_its_socket_within_five_seconds(hub: Hub) -> None:
    token, person = browse(hub.identity, "grace")
    with socket(hub, token) as connection:
        hub.identity.sessions.end(person.session_id, "a test")
        assert closed(connection, 5) == 4401


@pytest.mark.case("CVE-2021-41247")
def test_logging_out_closes_every_socket_of_the_session_and_no_other(hub: Hub) -> None:
    token, _ = browse(hub.identity, "grace")
    other, person = browse(hub.identity, "grace")
    with socket(hub, token) as one, socket(hub, token) as two, socket(hub, other) as three, hub.client() as client:
        began = time.monotonic()
        client.post("/auth/logout", headers={"cookie": f"__Host-podium={token}"})
        assert closed(one, 5) == closed(two, 5) == 4401
        assert time.monotonic() - began < 1.5, "this process need not wait for its poll"
        three.ping().wait(5)
        assert hub.identity.sessions.by_id(person.session_id)


@pytest.mark.case("A6-10")
def test_a_text_frame_closes_the_socket(hub: Hub) -> None:
    with socket(hub, browse(hub.identity, "grace")[0]) as connection:
        connection.send("no protobuf")
        closed(connection, 5)


@pytest.mark.case("A6-11")
def test_a_frame_above_the_limit_closes_the_socket(hub: Hub) -> None:
    with socket(hub, browse(hub.identity, "grace")[0]) as connection:
        connection.send(b"x" * 26_000_000)
        assert closed(connection, 20) == 1009


@pytest.mark.case("A6-12")
def test_garbage_closes_the_socket_without_a_word_of_the_code(hub: Hub) -> None:
    with socket(hub, browse(hub.identity, "grace")[0]) as connection:
        connection.send(b"\xff\xfe garbage")
        received: list[str | bytes] = []
        assert closed(connection, 5, received) == 1002
    assert not any("Traceback" in str(frame) for frame in received)


def test_the_log_of_all_this_holds_no_secret(hub: Hub) -> None:
    token, _ = browse(hub.identity, "grace")
    get(hub, f"/login?link={token}", token)
    eventually(lambda: token not in hub.log.read_text("utf-8", "replace"), "no secret in the log", 1)

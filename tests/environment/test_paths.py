"""What an environment answers, and under which addresses."""

import socket
import time
from pathlib import Path

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection

from tests.environment.running import HOST, Environment, connected, environment
from tests.support.script_run import run

TAG = '<head><script src="/_podium/tab.js"></script>'


@pytest.mark.case("A6-5")
@pytest.mark.case("A6-8")
@pytest.mark.parametrize(
    "path",
    [
        "/_stcore/metrics",
        "/_stcore/metrics/",
        "/_STCORE/metrics",
        "/_stcore/agent/interact",
        "/_stcore/agent/mcp",
        "/_stcore/agent/openapi.json",
        "/_stcore/script-health-check",
        "/auth/login",
        "/auth/logout",
        "/oauth2callback",
        "/_podium/tab.js",
        "/_podium/",
        "/%5fstcore/metrics",
    ],
)
def test_what_is_meant_for_the_operator_does_not_exist(plain: Environment, path: str) -> None:
    assert plain.get(path).status_code == 404


@pytest.mark.parametrize("path", ["/", "/some/page", "/_stcore/stream"])
def test_pages_carry_podiums_script_first(plain: Environment, path: str) -> None:
    for encoding in ("gzip", "identity"):
        answer = plain.get(path, **{"Accept-Encoding": encoding, "If-None-Match": '"x"', "Range": "bytes=0-9"})
        if path == "/_stcore/stream":
            assert TAG not in answer.text
        else:
            assert answer.status_code == 200
            assert answer.text.count(TAG) == 1
            assert int(answer.headers["Content-Length"]) == len(answer.content)


def test_static_files_need_no_assertion_and_nothing_else_goes_with_them(plain: Environment) -> None:
    page = plain.get("/").text
    script = page.partition('src="./static/')[2].partition('"')[0]
    answer = plain.get(f"/static/{script}", "")
    assert answer.status_code == 200
    assert "immutable" in answer.headers["Cache-Control"]
    for path in ("/static/../_stcore/host-config", "/static/..%2f_stcore/host-config", "/static/%5c..%5cx", "/static//x"):
        assert plain.get(path, "").status_code in {400, 404, 421}


@pytest.mark.case("A2-6")
@pytest.mark.parametrize(
    "path", ["/media/x.png", "/component/a/b", "/_stcore/host-config", "/_stcore/health", "/_stcore/upload_file/a/b"]
)
@pytest.mark.case("A6-7")
@pytest.mark.case("A2-7")
def test_all_else_needs_an_assertion(plain: Environment, path: str) -> None:
    assert plain.get(path, "").status_code == 421


@pytest.mark.case("CVE-2022-35918")
@pytest.mark.case("CVE-2024-42474")
@pytest.mark.case("CVE-2026-33682")
@pytest.mark.parametrize(
    "path",
    [
        "//x/y",
        "/%5c%5cx/y",
        "/component/..%2f..%2f..%2fetc/passwd",
        "/media/..%2fx",
        "/..%2f..%2fetc/passwd",
        "/app/static/..%2f..%2fetc/passwd",
    ],
)
def test_paths_do_not_climb(plain: Environment, path: str) -> None:
    answer = raw(plain, path)
    assert "root:" not in answer
    assert answer.split(" ")[1] in {"400", "404"}


@pytest.mark.parametrize("target", ["@google.com", "http://evil.example/", "*", "no-slash"])
@pytest.mark.case("PYSEC-2026-248")
def test_a_request_target_without_a_path_gets_nothing(plain: Environment, target: str) -> None:
    answer = raw(plain, target, signed=False)
    assert answer.split(" ")[1] in {"400", "404", "421"}


def raw(plain: Environment, target: str, *, signed: bool = True) -> str:
    """The answer to a request whose target no client library would send."""
    assertion = f"X-Podium-Assertion: {plain.token()}\r\n" if signed else ""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(plain.address)
        connection.settimeout(20)
        connection.sendall(f"GET {target} HTTP/1.1\r\nHost: {HOST}\r\n{assertion}Connection: close\r\n\r\n".encode())
        received = b""
        while chunk := connection.recv(65536):
            received += chunk
    return received.decode("latin-1")


def refused_origin(plain: Environment, origin: str | None) -> bool:
    try:
        plain.socket(origin=origin).close()
    except InvalidStatus as refused:
        return refused.response.status_code == 403
    return False


@pytest.mark.case("A6-1")
@pytest.mark.case("A6-2")
@pytest.mark.case("A6-9")
def test_only_the_own_origin_opens_a_socket(plain: Environment) -> None:
    assert not refused_origin(plain, f"http://{HOST}")
    assert not refused_origin(plain, None)
    for origin in (
        "http://localhost:8501",
        "http://evil.example",
        f"http://{HOST}.evil.example",
        "http://bob.localhost:8501",
        "null",
    ):
        assert refused_origin(plain, origin)


@pytest.mark.case("A6-10")
def test_a_text_frame_closes_the_socket(plain: Environment) -> None:
    with connected(plain) as connection:
        connection.send("text")
        closed_with(connection)
    assert plain.get("/").status_code == 200


@pytest.mark.case("A6-11")
@pytest.mark.case("A2-1")
def test_a_frame_above_the_limit_closes_the_socket(plain: Environment) -> None:
    with connected(plain) as connection:
        connection.send(b"\0" * 26_500_000)
        assert closed_with(connection) == 1009


@pytest.mark.case("A6-12")
def test_garbage_closes_the_socket_and_shows_no_traceback(plain: Environment) -> None:
    with connected(plain) as connection:
        connection.send(b"\xff" * 64)
        assert closed_with(connection) == 1002


def closed_with(connection: ClientConnection) -> int | None:
    """The close code; nothing that comes before it may be a traceback."""
    try:
        while True:
            message = connection.recv(10)
            assert b"Traceback" not in (message if isinstance(message, bytes) else message.encode())
    except ConnectionClosed as closed:
        return closed.rcvd.code if closed.rcvd else None


@pytest.mark.case("A6-6")
def test_an_upload_without_the_pages_proof_is_refused(plain: Environment) -> None:
    with plain.client() as client:
        assert client.put("/_stcore/upload_file/session/file", files={"file": b"x"}).status_code == 403


@pytest.mark.case("A6-4")
def test_the_forgery_cookie_stays_on_its_site(plain: Environment) -> None:
    cookie = plain.get("/_stcore/host-config").headers.get("Set-Cookie") or plain.get("/_stcore/health").headers["Set-Cookie"]
    assert cookie.startswith("_streamlit_xsrf=")
    assert "samesite=strict" in cookie.lower()


def test_health_is_answered_without_an_assertion(plain: Environment) -> None:
    assert plain.get("/_podium/health", "").json() == {"start": plain.start_id}


@pytest.mark.case("A4-7")
def test_the_socket_is_its_owners_alone(plain: Environment) -> None:
    assert Path(plain.address).stat().st_mode & 0o777 == 0o600


def test_below_a_base_path_everything_lies_there(tmp_path: Path, plain_script: Path) -> None:
    with environment(tmp_path, plain_script, base_url="/user/demo", tcp=True) as below:
        assert '<script src="/user/demo/_podium/tab.js"></script>' in below.get("/user/demo/").text
        assert below.get("/user/demo/_stcore/health").text == "ok"
        assert below.get("/user/demo/_stcore/metrics").status_code == 404
        assert below.get("/user/demo/_podium/health", "").status_code == 404
        assert below.get("/_podium/health", "").status_code == 200
        assert below.get("/_stcore/health").status_code == 404
        assert below.get("/user/demonstration/").status_code == 404
        with below.socket(path="/user/demo/_stcore/stream", origin=None) as connection:
            assert run(connection)
        assert_answers_at_once(below)


def assert_answers_at_once(served: Environment) -> None:
    """Small answers on a kept-alive TCP connection do not wait for delayed acknowledgements."""
    with served.client() as client:
        client.get("/_podium/health")
        started = time.monotonic()
        for _ in range(20):
            assert client.get("/_podium/health").status_code == httpx.codes.OK
        assert time.monotonic() - started < 20 * 0.03

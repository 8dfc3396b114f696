"""Where a request comes from: what a trusted proxy says, and nobody else."""

import socket
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.sync.client import connect
from websockets.typing import Origin, Subprotocol

from hub.api.callers import FAILURES_PER_MINUTE
from hub.errors import CannotStart
from hub.identity import codes
from hub.identity.tokens import digest
from hub.settings import Settings, load
from tests.identity.conftest import Hub, cookie, register, served
from tests.routing.serving import free_port, nginx
from tests.support.script_run import drawn, run, text

PROXY, STRANGER = "127.0.0.2", "127.0.0.9"


@pytest.fixture(scope="module")
def fronted(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    with served(tmp_path_factory.mktemp("proxies"), sqlite_template, trusted_proxies=f"{PROXY}, 10.0.0.0/8") as hub:
        register(hub.identity, "grace")
        yield hub


def address_seen(hub: Hub, source: str, **headers: str) -> str:
    """Log in from there; the address that the session has."""
    user = hub.identity.find_user("grace")
    with hub.database.writing("test code") as session:
        code = codes.issue(session, codes.LOGIN, user.id, timedelta(seconds=60), binding=digest("form"))
    own = {"origin": hub.url, "host": f"localhost:{hub.port}", "sec-fetch-site": "same-origin"}
    transport = httpx.HTTPTransport(local_address=source)
    with httpx.Client(transport=transport, base_url=f"http://127.0.0.1:{hub.port}", headers=own) as client:
        answer = client.post("/auth/session", data={"code": code}, headers={"cookie": "__Host-podium-form=form", **headers})
    person = hub.identity.sessions.resolve(cookie(answer, "__Host-podium"))
    assert person
    return next(view.address for view in hub.identity.sessions.of_user(user.id) if view.id == person.session_id)


@pytest.mark.parametrize(
    ("source", "told", "seen"),
    [
        (PROXY, "203.0.113.7", "203.0.113.7"), (PROXY, "198.51.100.1, 203.0.113.7", "203.0.113.7"),
        (PROXY, "203.0.113.7, 10.1.2.3", "203.0.113.7"), (PROXY, "2001:db8::7", "2001:db8::7"),
        (STRANGER, "203.0.113.7", STRANGER), (STRANGER, f"{PROXY}", STRANGER),
    ],
)  # fmt: skip
def test_only_a_trusted_proxy_says_where_a_request_comes_from(fronted: Hub, source: str, told: str, seen: str) -> None:
    assert address_seen(fronted, source, **{"x-forwarded-for": told}) == seen


def test_without_a_trusted_proxy_nobody_says_it(hub_alone: Hub) -> None:
    assert address_seen(hub_alone, PROXY, **{"x-forwarded-for": "203.0.113.7"}) == PROXY


@pytest.fixture
def hub_alone(sqlite_template: Path, tmp_path: Path) -> Iterator[Hub]:
    with served(tmp_path, sqlite_template) as hub:
        register(hub.identity, "grace")
        yield hub


@pytest.mark.case("CVE-2026-40575")
@pytest.mark.parametrize("everybody", ["0.0.0.0/0", "::/0", "10.0.0.1, 0.0.0.0/0", "*", "proxy.example.org"])
def test_a_rule_that_trusts_everybody_stops_the_start(tmp_path: Path, everybody: str) -> None:
    with pytest.raises(CannotStart, match="TRUSTED_PROXIES"):
        load({"PODIUM_TRUSTED_PROXIES": everybody}, tmp_path / ".env")


ONE, OTHER = "127.0.0.5", "127.0.0.6"
"""Two people's machines."""
EDGE = "127.0.0.8"
"""A proxy in front of NGINX."""


@pytest.fixture(scope="module")
def behind_nginx(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Hub, int]]:
    """A hub as docs/operating/nginx.md sets it up, and the port of the NGINX in front of it."""
    port, folder, credential = free_port(), tmp_path_factory.mktemp("behind-nginx"), "c" * 40
    public = {"public_url": f"http://localhost:{port}", "proxy_credential": credential}
    with (
        served(folder, sqlite_template, **public) as hub,
        nginx(Settings(port=port), folder / "nginx", credential, f"127.0.0.1:{hub.port}", trusted=(EDGE,)),
    ):
        register(hub.identity, "grace")
        yield hub, port


def ask_with_wrong_token(port: int, source: str, **headers: str) -> int:
    transport = httpx.HTTPTransport(local_address=source)
    shown = {"authorization": "Bearer podium_wrong", "host": f"localhost:{port}", **headers}
    with httpx.Client(transport=transport, base_url=f"http://127.0.0.1:{port}", headers=shown, trust_env=False) as client:
        return client.get("/api/v1/me").status_code


def test_behind_nginx_each_address_has_a_limit_of_its_own_and_a_forged_header_changes_nothing(
    behind_nginx: tuple[Hub, int],
) -> None:
    _, port = behind_nginx
    answers = [ask_with_wrong_token(port, ONE, **{"x-forwarded-for": f"203.0.113.{n}"}) for n in range(FAILURES_PER_MINUTE)]
    assert set(answers) == {401}
    assert ask_with_wrong_token(port, ONE) == 429
    for forged in (OTHER, "203.0.113.200", f"{OTHER}, 127.0.0.1", "127.0.0.1", ""):
        assert ask_with_wrong_token(port, ONE, **{"x-forwarded-for": forged, "forwarded": f"for={forged}"}) == 429
    assert ask_with_wrong_token(port, OTHER, **{"x-forwarded-for": ONE, "x-real-ip": ONE}) == 401


def test_nginx_passes_on_what_the_edge_in_front_of_it_says_and_nobody_else(behind_nginx: tuple[Hub, int]) -> None:
    _, port = behind_nginx
    person, next_one = "203.0.113.50", "203.0.113.51"
    answers = [ask_with_wrong_token(port, EDGE, **{"x-forwarded-for": person}) for _ in range(FAILURES_PER_MINUTE)]
    assert set(answers) == {401}
    assert ask_with_wrong_token(port, EDGE, **{"x-forwarded-for": f"{next_one}, {person}"}) == 429
    assert ask_with_wrong_token(port, EDGE, **{"x-forwarded-for": next_one}) == 401


def test_who_does_not_know_nginx_s_credential_comes_from_where_the_connection_does(hub_alone: Hub) -> None:
    for shown in ("", "c" * 40):
        headers = {"x-forwarded-for": "203.0.113.7", "x-podium-proxy": shown}
        assert address_seen(hub_alone, STRANGER, **headers) == STRANGER


def log_in_wrongly(port: int, source: str, **headers: str) -> None:
    """Type a wrong password on the login page, on a machine with that address."""
    own = f"localhost:{port}"
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers={"host": own}, trust_env=False) as client:
        form = cookie(client.get("/login"), "__Host-podium-form")
    with connect(
        f"ws://{own}/_stcore/stream", sock=socket.create_connection(("127.0.0.1", port), source_address=(source, 0)),
        additional_headers={"Cookie": f"__Host-podium-form={form}", **headers}, origin=Origin(f"http://{own}"),
        subprotocols=[Subprotocol("streamlit")], proxy=None, max_size=None,
    ) as page:  # fmt: skip
        elements = drawn(run(page, "login"))
        name, password = (element.text_input.id for element in elements if element.HasField("text_input"))
        button = next(element.button.id for element in elements if element.HasField("button"))
        typed = (WidgetState(id=name, string_value="grace"), WidgetState(id=password, string_value="wrong"))
        answer = text(run(page, "login", widgets=(*typed, WidgetState(id=button, trigger_value=True))))
        assert "The name or the password is wrong" in answer


def test_behind_nginx_a_wrong_password_counts_for_the_address_it_was_typed_at(behind_nginx: tuple[Hub, int]) -> None:
    hub, port = behind_nginx
    for source, forged in ((ONE, "203.0.113.7"), (OTHER, ONE)):
        log_in_wrongly(port, source, **{"X-Forwarded-For": forged})
        assert f"login refused for 'grace' from '{source}'" in hub.log.read_text("utf-8").splitlines()[-1]

"""The routes of logins at providers on a hub that is served for real, with a provider that may turn hostile."""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from sqlalchemy import text
from sqlmodel import select

from hub.identity.model import LoginAttempt
from hub.identity.notices import Notice
from hub.identity.oidc.routes import MOST_PER_MINUTE
from tests.identity.conftest import Hub, browse, cookie, register, served
from tests.identity.oidc.conftest import KEY
from tests.identity.oidc.hostile import CLIENT, SECRET, Hostile, serving

FORM = "the cookie of a login page"


@dataclass
class Place:
    hub: Hub
    provider: Hostile

    def post(self, path: str, fields: dict[str, str], form: str = FORM, **headers: str) -> httpx.Response:
        with self.hub.client() as client:
            cookies = {"cookie": f"__Host-podium-form={form}"} if form else {}
            return client.post(path, data=fields, headers={**cookies, **headers})

    def begin(self, onward: str = "/") -> str:
        """Where the browser is sent to log in."""
        answer = self.post("/auth/login", {"provider": "oidc", "next": onward})
        found = re.search(r'url=([^"]+)"', answer.text)
        assert found, answer.text
        return html.unescape(found[1])

    def come_back(self, onward: str = "/", form: str = FORM) -> httpx.Response:
        """The answer to the browser that comes back logged in."""
        return self.callback(self.provider.authorize(self.begin(onward)), form)

    def callback(self, query: dict[str, str], form: str = FORM) -> httpx.Response:
        headers = {"cookie": f"__Host-podium-form={form}", "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate",
                   "sec-fetch-dest": "document"}  # fmt: skip
        with self.hub.client() as client:
            del client.headers["origin"]
            return client.get("/auth/callback/oidc", params=query, headers=headers)


@pytest.fixture(scope="module")
def place(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with serving(Hostile(key=KEY)) as provider:
        settings = {
            "oidc_issuer_url": provider.issuer, "oidc_rp_client_id": CLIENT, "oidc_rp_client_secret": SECRET,
            "allow_everyone": True,
        }  # fmt: skip
        with served(tmp_path_factory.mktemp("routes"), sqlite_template, **settings) as hub:
            yield Place(hub, provider)


@pytest.fixture(autouse=True)
def honest(place: Place) -> None:
    place.provider.claims, place.provider.answers, place.provider.userinfo = {}, {}, {}


def notice(answer: httpx.Response) -> Notice:
    assert answer.status_code == 303, answer.text
    return Notice(parse_qs(urlsplit(answer.headers["location"]).query)["again"][0])


@pytest.mark.case("A7-12", "A7-19")
def test_who_comes_back_gets_a_session_and_goes_on(place: Place) -> None:
    answer = place.come_back("/workspaces")
    assert (answer.status_code, answer.headers["location"]) == (303, "/workspaces")
    assert (answer.headers["referrer-policy"], answer.headers["cache-control"]) == ("no-referrer", "no-store")
    assert answer.headers["x-frame-options"] == "DENY"
    token = cookie(answer, "__Host-podium")
    person = place.hub.identity.sessions.resolve(token)
    assert person


@pytest.mark.case("A7-20")
def test_a_login_begins_with_a_press_on_the_own_page_and_never_with_a_link(place: Place) -> None:
    with place.hub.client() as client:
        answer = client.get("/auth/login?provider=oidc&next=/account")
    assert (answer.status_code, answer.headers["location"]) == (303, "/login?provider=oidc&next=/account")
    for site in ("cross-site", "same-site", "none"):
        answer = place.post("/auth/login", {"provider": "oidc"}, **{"sec-fetch-site": site})
        assert answer.status_code == 403
    assert place.post("/auth/login", {"provider": "oidc"}, origin="https://elsewhere.example").status_code == 403


@pytest.mark.case("A7-13")
@pytest.mark.parametrize("onward", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)"])
def test_after_a_login_nobody_is_sent_elsewhere(place: Place, onward: str) -> None:
    assert place.come_back(onward).headers["location"] == "/"


def test_a_browser_without_cookies_is_told_so(place: Place) -> None:
    assert notice(place.post("/auth/login", {"provider": "oidc"}, form="")) is Notice.COOKIES


@pytest.mark.parametrize("name", ["", "google", "../oidc", "x" * 1000, "'"])
def test_a_provider_that_does_not_exist_is_not_found(place: Place, name: str) -> None:
    assert place.post("/auth/login", {"provider": name}).status_code == 404


@pytest.mark.parametrize(
    "query", [{}, {"state": "x"}, {"state": "x" * 3000, "code": "x"}, {"error": "<script>"}, {"code": "x"}]
)
def test_a_callback_out_of_nowhere_lets_nobody_in(place: Place, query: dict[str, str]) -> None:
    answer = place.callback(query)
    assert notice(answer) is Notice.LATE
    assert "podium=" not in answer.headers.get("set-cookie", "")


def test_a_callback_at_another_provider_s_address_does_not_count(place: Place) -> None:
    query = place.provider.authorize(place.begin())
    with place.hub.client() as client:
        assert client.get("/auth/callback", params=query).status_code == 404


def test_what_is_written_on_the_login_page_is_never_the_address_s_choice(place: Place) -> None:
    place.provider.answers = {"/token": lambda: (500, {}, b"")}
    answer = place.come_back("/account")
    assert urlsplit(answer.headers["location"]).query == "again=silent&next=%2Faccount"


@pytest.mark.case("A7-17", "A7-19")
def test_no_code_and_no_token_is_kept_or_logged(place: Place) -> None:
    query = place.provider.authorize(place.begin())
    place.callback(query)
    place.callback(query)
    with place.hub.database.engine.connect() as connection:
        tables = connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'table'")).scalars().all()
        rows = str([connection.execute(text(f'SELECT * FROM "{table}"')).all() for table in tables])
    log = place.hub.log.read_text("utf-8")
    for secret in (query["code"], query["state"], "opaque", SECRET):
        assert secret not in rows
        assert secret not in log


def test_linking_needs_somebody_who_is_logged_in(place: Place) -> None:
    assert place.post("/auth/link", {"provider": "oidc"}).status_code == 401


def test_a_local_administrator_comes_in_while_the_provider_is_down(place: Place) -> None:
    register(place.hub.identity, "keeper")
    place.provider.answers = {path: lambda: (500, {}, b"") for path in ("/token", "/keys")}
    assert notice(place.come_back()) is Notice.SILENT
    assert place.hub.identity.sessions.resolve(place.hub.log_in("keeper"))


def test_a_logout_without_a_provider_s_own_ends_here(place: Place) -> None:
    token, _ = browse(place.hub.identity, register(place.hub.identity, "leaver").name)
    answer = place.post("/auth/logout", {}, cookie=f"__Host-podium={token}")
    assert notice(answer) is Notice.OUT


@pytest.mark.case("A7-18")
@pytest.mark.parametrize("fields", [{}, {"logout_token": ""}, {"logout_token": "a.b.c"}, {"logout_token": "x" * 9000}])
def test_a_logout_from_behind_that_is_none_changes_nothing(place: Place, fields: dict[str, str]) -> None:
    with place.hub.client() as client:
        for name in ("origin", "sec-fetch-site"):
            del client.headers[name]
        assert client.post("/auth/backchannel/oidc", data=fields).status_code == 400
        assert client.post("/auth/backchannel/nobody", data=fields).status_code == 404


def test_a_network_begins_only_so_many_logins_a_minute(sqlite_template: Path, tmp_path: Path, place: Place) -> None:
    settings = {"oidc_issuer_url": place.provider.issuer, "oidc_rp_client_id": CLIENT, "oidc_rp_client_secret": SECRET}
    with served(tmp_path, sqlite_template, **settings) as hub:
        mine = Place(hub, place.provider)
        fields = {"provider": "oidc", "next": "/" + "x" * 900}
        answers = [mine.post("/auth/login", fields) for _ in range(MOST_PER_MINUTE + 5)]
        assert [answer.status_code for answer in answers[:MOST_PER_MINUTE]] == [200] * MOST_PER_MINUTE
        assert {notice(answer) for answer in answers[MOST_PER_MINUTE:]} == {Notice.BUSY}
        with hub.database.reading() as session:
            assert {attempt.onward for attempt in session.exec(select(LoginAttempt)).all()} == {"/"}

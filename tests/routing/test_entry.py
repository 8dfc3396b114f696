"""The hand-over from the hub to an environment's own host."""

from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from sqlmodel import select, update

from hub.clock import now
from hub.errors import Refused
from hub.identity.cookies import cookie_name
from hub.identity.model import OneTimeCode
from hub.identity.person import Person
from hub.identity.tokens import digest
from hub.routing.model import Entry
from hub.settings import Settings
from tests.routing.front import BROWSER, Front
from tests.routing.world import World

NONCE = "n" * 43
OTHER_NONCE = "o" * 43


@pytest.fixture
def world(database_url: str) -> Iterator[World]:
    world = World.build(Settings.model_validate({"port": 8501}), database_url)
    world.environment("calm-heron", "alice", "unix:/nowhere")
    world.environment("grave-lynx", "alice", "unix:/nowhere")
    yield world
    world.close()


def _code(world: World, name: str = "alice", slug: str = "calm-heron") -> str:
    view = world.view(slug)
    return world.routing.entries.code(world.login(name)[1], view.id, digest(NONCE))


def _person(world: World, slug: str, token: str) -> Person | None:
    return world.routing.entries.people([(slug, token)]).get((slug, token))


def test_a_code_becomes_a_cookie_for_that_environment_only(world: World) -> None:
    token, person = world.routing.entries.redeem("calm-heron", _code(world), NONCE)
    assert person.name == "alice"
    assert _person(world, "calm-heron", token) == person
    assert _person(world, "grave-lynx", token) is None


def test_a_code_works_once(world: World) -> None:
    code = _code(world)
    world.routing.entries.redeem("calm-heron", code, NONCE)
    with pytest.raises(Refused):
        world.routing.entries.redeem("calm-heron", code, NONCE)


def test_a_code_used_in_another_browser_is_refused(world: World) -> None:
    with pytest.raises(Refused):
        world.routing.entries.redeem("calm-heron", _code(world), OTHER_NONCE)


def test_a_code_used_on_another_host_is_refused_and_worthless_then(world: World) -> None:
    code = _code(world)
    for slug in ("grave-lynx", "nobody-at-all", "calm-heron"):
        with pytest.raises(Refused):
            world.routing.entries.redeem(slug, code, NONCE)


def test_a_code_expires(world: World) -> None:
    code = _code(world)
    with world.database.writing("old") as session:
        session.execute(update(OneTimeCode).values(expires_at=now() - timedelta(seconds=1)))
    with pytest.raises(Refused):
        world.routing.entries.redeem("calm-heron", code, NONCE)


def test_a_code_whose_login_has_ended_is_refused(world: World) -> None:
    _, person = world.login("alice")
    view = world.view("calm-heron")
    code = world.routing.entries.code(person, view.id, digest(NONCE))
    world.sessions.end(person.session_id, "logout")
    with pytest.raises(Refused):
        world.routing.entries.redeem("calm-heron", code, NONCE)


@pytest.mark.case("CVE-2021-41247")
def test_the_cookie_ends_with_the_login(world: World) -> None:
    token, person = world.routing.entries.redeem("calm-heron", _code(world), NONCE)
    world.sessions.end(person.session_id, "logout")
    assert _person(world, "calm-heron", token) is None


def test_cookies_of_ended_logins_are_swept_out_by_the_next_one(world: World) -> None:
    _, ended = world.routing.entries.redeem("calm-heron", _code(world), NONCE)
    kept, _ = world.routing.entries.redeem("grave-lynx", _code(world, slug="grave-lynx"), NONCE)
    world.sessions.end(ended.session_id, "logout")
    new, _ = world.routing.entries.redeem("calm-heron", _code(world), NONCE)
    with world.database.reading() as session:
        assert set(session.exec(select(Entry.token_hash))) == {digest(kept), digest(new)}


class Browser:
    """Follows redirects as a browser does, with a cookie jar for each host."""

    def __init__(self, front: Front) -> None:
        self.front = front
        self.jars: dict[str, dict[str, str]] = {}

    def go(self, url: str) -> httpx.Response:
        host, path = urlsplit(url).netloc, urlsplit(url)._replace(scheme="", netloc="").geturl() or "/"
        jar = self.jars.setdefault(host, {})
        cookie = "; ".join(f"{name}={value}" for name, value in jar.items())
        with self.front.client() as client:
            response = client.get(path, headers={"Host": host, "Cookie": cookie, **BROWSER})
        for set_cookie in response.headers.get_list("set-cookie"):
            name, _, value = set_cookie.partition(";")[0].partition("=")
            jar.pop(name, None)
            if "Max-Age=0" not in set_cookie:
                jar[name] = value
        return response

    def follow(self, url: str) -> tuple[str, httpx.Response]:
        for _ in range(10):
            response = self.go(url)
            if not response.is_redirect:
                return url, response
            url = str(httpx.URL(url).join(response.headers["location"]))
        raise AssertionError("redirected in circles")


def test_a_bookmark_leads_through_login_and_back(front: Front) -> None:
    """The first visit ends at the hub's page to log in, which knows the way back; then the environment opens."""
    browser, host = Browser(front), front.host("calm-heron")
    url = f"http://{host}{front.prefix('calm-heron')}/echo?x=1"
    at, page = browser.follow(url)
    assert urlsplit(at).path == "/login"
    assert page.status_code == 200
    back = parse_qs(urlsplit(at).query)["next"][0]
    browser.jars.setdefault(f"localhost:{front.port}", {})[cookie_name(front.world.settings, "session")] = front.alice.token
    at, page = browser.follow(f"http://localhost:{front.port}{back}")
    assert at == url
    assert page.json()["path"].endswith("/echo")
    assert front.alice.token not in page.text


@pytest.mark.case("A8-1")
def test_the_entry_cookie_is_for_this_host_and_not_for_scripts(front: Front) -> None:
    if not front.by_host:
        return
    code = front.world.routing.entries.code(front.alice.person, front.environments["calm-heron"].id, digest(NONCE))
    nonce = f"{cookie_name(front.world.settings, 'entry-nonce')}={NONCE}"
    response = front.get("calm-heron", f"/_podium/enter?code={code}&next=/x", cookie=nonce, headers=BROWSER)
    cookie = response.headers.get_list("set-cookie")[0]
    assert cookie.startswith("__Host-podium-entry=")
    assert {"HttpOnly", "Secure", "SameSite=Lax", "Path=/"} <= {part.strip() for part in cookie.split(";")}
    assert "domain" not in cookie.lower()
    lasts = int(cookie.partition("Max-Age=")[2].partition(";")[0])
    assert 8 * 3600 - 300 < lasts <= 8 * 3600


def test_a_code_that_does_not_count_shows_a_page_and_no_redirect(front: Front) -> None:
    if not front.by_host:
        return
    response = front.get("calm-heron", "/_podium/enter?code=stolen&next=/x", headers=BROWSER)
    assert response.status_code == 403
    assert "does not work any more" in response.text


def test_the_hub_hands_codes_to_tabs_only(front: Front) -> None:
    if not front.by_host:
        return
    cookie = f"{cookie_name(front.world.settings, 'session')}={front.alice.token}"
    asked = f"/routing/enter?environment=calm-heron&binding={digest(NONCE)}&next=/"
    assert front.hub(asked, cookie=cookie, headers=BROWSER).status_code == 303
    for sent in ({"Sec-Fetch-Dest": "iframe"}, {"Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"}):
        assert front.hub(asked, cookie=cookie, headers={**BROWSER, **sent}).status_code == 404
    assert front.hub(asked.replace(digest(NONCE), "x"), cookie=cookie, headers=BROWSER).status_code == 404


def test_a_planted_hub_cookie_does_not_shut_the_person_out(front: Front) -> None:
    name = cookie_name(front.world.settings, "session")
    cookie = f"{name}={'p' * 43}; {name}={front.alice.token}"
    assert front.hub("/_podium/alive", cookie=cookie).status_code == 204

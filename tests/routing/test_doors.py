"""The pages in place of an environment: every bookmark leads somewhere."""

import re

import pytest

from hub.environments.model import Phase, Target
from tests.routing.front import BROWSER, Front

PAGES = {
    "stopped": (409, "is stopped", "Launch environment"),
    "queued": (409, "waits for its turn", "opens here"),
    "starting": (409, "is starting", "Workspace ready"),
    "stopping": (409, "is stopping", "safe"),
    "failed": (409, "has failed", "Launch again"),
    "dead-wren": (502, "does not answer", "opens it by itself"),
}


@pytest.mark.parametrize("slug", PAGES)
def test_each_state_has_its_page(front: Front, slug: str) -> None:
    status, title, words = PAGES[slug]
    page = front.get(slug, "/some/bookmark", cookie=front.cookie(front.alice, slug), headers=BROWSER)
    assert page.status_code == status
    assert title in page.text
    assert words in page.text
    assert "Traceback" not in page.text


@pytest.mark.parametrize("slug", PAGES)
def test_scripts_get_the_status_alone(front: Front, slug: str) -> None:
    answer = front.get(slug, "/_stcore/health", cookie=front.cookie(front.alice, slug), headers={"Sec-Fetch-Mode": "cors"})
    assert answer.status_code == PAGES[slug][0]
    assert "<" not in answer.text


@pytest.mark.case("GHSA-c4gm-pwx9-9w8j")
@pytest.mark.case("CVE-2023-27494")
def test_names_and_reasons_are_text_on_the_page(own_front: Front) -> None:
    front = own_front
    front.world.change(front.environments["failed"], name="<script>alert(1)</script>", reason="<img src=x onerror=alert(1)>")
    cookie = front.cookie(front.alice, "failed")
    page = front.get("failed", "/?q=%3Cscript>alert(2)%3C/script>%22'", cookie=cookie, headers=BROWSER)
    assert "<script>alert" not in page.text
    assert "<img" not in page.text
    assert "&lt;script&gt;alert(1)" in page.text


@pytest.mark.case("A8-12")
def test_pages_run_no_script_but_their_own_and_cannot_be_framed(front: Front) -> None:
    page = front.get("failed", "/", cookie=front.cookie(front.alice, "failed"), headers=BROWSER)
    policy = page.headers["content-security-policy"]
    nonce = re.findall("'nonce-([^']+)'", policy)
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "base-uri 'none'" in policy
    assert len(set(nonce)) == 1
    assert page.text.count(f'<script nonce="{nonce[0]}">') == page.text.count("<script") == 1
    assert page.headers["x-content-type-options"] == "nosniff"
    assert page.headers["cache-control"] == "no-store"


def test_a_waiting_page_asks_for_its_state(front: Front) -> None:
    state = front.get("starting", "/_podium/door", cookie=front.cookie(front.alice, "starting")).json()
    assert (state["open"], state["door"]) == (False, "starting")
    assert "Process started" in state["main"]
    running = front.get("calm-heron", "/_podium/door", cookie=front.cookie(front.alice, "calm-heron")).json()
    assert running["open"] is True


def test_checkpoints_show_what_was_reached_and_what_comes(front: Front) -> None:
    page = front.get("starting", "/", cookie=front.cookie(front.alice, "starting"), headers=BROWSER).text
    steps = re.findall(r'<li class="(\w+)"', page)
    assert steps == ["done", "present", "coming"]
    assert re.search(r"<time datetime=\"\d{4}-", page)


def _launch(front: Front, slug: str, headers: dict[str, str], cookie: str | None = None) -> int:
    cookie = front.cookie(front.alice, slug) if cookie is None else cookie
    form = {"Content-Type": "application/x-www-form-urlencoded", **headers}
    response = front.request("POST", slug, "/_podium/launch", cookie=cookie, headers=form, content=b"next=//evil.example")
    assert response.headers.get("location", "/") == "/"
    return response.status_code


def test_the_button_launches(own_front: Front) -> None:
    assert _launch(own_front, "stopped", {"Sec-Fetch-Site": "same-origin"}) == 303
    view = own_front.world.view("stopped")
    assert (view.target, view.phase) == (Target.RUNNING, Phase.STARTING)
    assert _launch(own_front, "failed", {"Origin": f"http://{own_front.host('failed')}"}) == 303


@pytest.mark.case("CVE-2020-36191")
@pytest.mark.case("A8-15")
@pytest.mark.parametrize(
    "headers",
    [{}, {"Sec-Fetch-Site": "same-site"}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "none"}, {"Origin": "null"}],
)
def test_a_foreign_page_cannot_press_it(front: Front, headers: dict[str, str]) -> None:
    assert _launch(front, "stopped", headers) == 403
    view = front.world.view("stopped")
    assert view.target is Target.STOPPED


def test_nobody_else_can_press_it(front: Front) -> None:
    own = {"Sec-Fetch-Site": "same-origin"}
    assert _launch(front, "stopped", own, cookie="") == 303
    theirs = front.cookie(front.bob, "bold-otter")
    assert _launch(front, "stopped", own, cookie=theirs) == 303
    view = front.world.view("stopped")
    assert view.target is Target.STOPPED


def test_a_launch_that_cannot_be_says_why(own_front: Front) -> None:
    own_front.world.environments.full = True
    cookie = own_front.cookie(own_front.alice, "stopped")
    own = {"Sec-Fetch-Site": "same-origin", "Content-Type": "application/x-www-form-urlencoded"}
    page = own_front.request("POST", "stopped", "/_podium/launch", cookie=cookie, headers=own, content=b"next=/x")
    assert page.status_code == 409
    assert "1 of 1 environments" in page.text
    huge = own_front.request("POST", "stopped", "/_podium/launch", cookie=cookie, headers=own, content=b"x" * 100_000)
    assert huge.status_code == 413


def test_a_session_that_has_ended_leads_to_login(own_front: Front) -> None:
    cookie = own_front.cookie(own_front.alice, "calm-heron")
    own_front.world.sessions.end(own_front.alice.person.session_id, "logout")
    page = own_front.get("calm-heron", "/x", cookie=cookie, headers=BROWSER)
    assert page.status_code == 303
    assert ("/routing/enter?" if own_front.by_host else "/login?") in page.headers["location"]

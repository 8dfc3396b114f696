"""What nobody gets: another person's environment, a tab after logging out, and the hub from an environment's scripts."""

from urllib.parse import urlsplit

import psutil
import pytest
from playwright.sync_api import Browser, Page, Response, expect

from tests.browser.outside import cookies, http, servers, websocket
from tests.browser.people import SOON, Person, person, see_foreign_texts, shot
from tests.support.podium import Podium

pytestmark = pytest.mark.browser

_SOCKET = """(address) => new Promise((told) => {
  const socket = new WebSocket(address, ["streamlit"])
  socket.onopen = () => told("open")
  socket.onerror = () => told("refused")
})"""

_ASK = """async ([address, options]) => {
  try {
    const answer = await fetch(address, { credentials: "include", ...options })
    return `${answer.type} ${answer.status} ${await answer.text()}`
  } catch (error) { return String(error) }
}"""

_FRAME = """(address) => new Promise((told) => {
  const frame = document.createElement("iframe")
  frame.onload = () => {
    try { told(frame.contentDocument ? frame.contentDocument.body.innerText : "nothing") }
    catch (error) { told("nothing") }
  }
  frame.src = address
  document.body.append(frame)
})"""

_FORM = """(address) => {
  const frame = Object.assign(document.createElement("iframe"), { name: "logout" })
  const form = Object.assign(document.createElement("form"), { method: "post", action: address, target: "logout" })
  document.body.append(frame, form)
  form.submit()
}"""

_OPEN = "(address) => { window.opened = window.open(address) }"

_READ_OPENED = "() => { try { return opened.document.body.innerText } catch (error) { return error.name } }"


@pytest.fixture(scope="module")
def address(ada: Person) -> str:
    """Where an environment of Ada's is; it runs."""
    ada.launch("Private")
    return ada.address("Private")


def test_an_environment_of_somebody_else_looks_like_one_that_does_not_exist(bob: Person, address: str) -> None:
    slug = urlsplit(address).netloc.partition(".")[0]
    hers, nowhere = bob.visit(address), bob.visit(address.replace(slug, "nothing-abcdefgh"))
    for tab in (hers, nowhere):
        expect(tab.get_by_role("heading", name="There is no such environment")).to_be_visible()
    assert hers.locator("body").inner_text() == nowhere.locator("body").inner_text()
    assert hers.title() == nowhere.title()
    shot(hers, "door-unknown")
    assert http(address, cookies(bob.context, address)) == 401
    assert websocket(address, cookies(bob.context, address)) == 401


def test_no_tab_goes_on_after_logging_out(house: Podium, browsers: Browser, address: str) -> None:
    with person(browsers, house.url) as ada:
        seen = see_foreign_texts(ada.context)
        ada.log_in("ada")
        ada.at_environments()
        tab, other = ada.open("Private"), ada.visit(f"{house.url}/workspaces")
        expect(other.get_by_role("heading", name="Workspaces")).to_be_visible()
        held = cookies(ada.context, address)
        assert http(address, held) == 200
        assert websocket(address, held) == 101
        ada.log_out()
        for page, name in ((tab, "environment"), (other, "hub")):
            expect(page.get_by_role("heading", name="Log in")).to_be_visible(timeout=SOON)
            shot(page, f"logged-out-{name}")
        assert http(address, held) == 401
        assert websocket(address, held) == 401
        assert seen == set()
        again = ada.visit(address)
        expect(again.get_by_role("heading", name="Log in")).to_be_visible()


def test_an_environment_s_scripts_cannot_call_the_hub_as_the_person_who_looks_at_it(
    house: Podium, ada: Person, address: str
) -> None:
    tab = ada.visit(address)
    expect(tab.get_by_role("heading", name="Overview")).to_be_visible()
    answers: list[Response] = []
    tab.on("response", lambda answer: answers.append(answer) if answer.url.startswith(house.url) else None)
    archive = _archive(ada)
    for path in ("/", "/workspaces", "/account", archive, "/auth/logout", "/routing/enter", "/_stcore/upload_file/a/b"):
        for method in ("GET", "POST"):
            assert "TypeError" in _asked(tab, house.url + path, method=method), path
            assert _asked(tab, house.url + path, method=method, mode="no-cors") == "opaque 0 ", path
    with tab.expect_response(f"{house.url}/auth/logout"):
        tab.evaluate(_FORM, f"{house.url}/auth/logout")
    told = tab.evaluate(_FRAME, f"{house.url}/account")
    assert told == "nothing" or told.startswith("Podium refused this")
    assert {answer.status for answer in answers} == {403}
    assert len(answers) >= 16
    assert tab.evaluate(_SOCKET, f"ws://{urlsplit(house.url).netloc}/_stcore/stream") == "refused"
    with ada.context.expect_page() as opened:
        tab.evaluate(_OPEN, f"{house.url}/account")
    expect(opened.value.get_by_role("heading", name="Account")).to_be_visible()
    assert tab.evaluate(_READ_OPENED) in {"SecurityError", "TypeError"}
    opened.value.close()
    ada.hub.reload()
    ada.at_environments()


def _asked(tab: Page, address: str, **options: str) -> str:
    answer: str = tab.evaluate(_ASK, [address, options])
    return answer


def _archive(ada: Person) -> str:
    """Where a workspace of hers is downloaded."""
    page = ada.visit(f"{ada.url}/workspaces")
    address = page.get_by_role("link", name="Download").first.get_attribute("href") or ""
    page.close()
    return urlsplit(address).path


def test_a_disabled_person_loses_every_tab_and_the_environment_stops(house: Podium, bob: Person) -> None:
    seen = see_foreign_texts(bob.context)
    bob.launch("Doomed")
    tab = bob.open("Doomed")
    doomed = servers(house.folder / "data", "Doomed")
    assert doomed
    assert house.run("user", "disable", bob.name).returncode == 0
    for page, name in ((tab, "environment"), (bob.hub, "hub")):
        expect(page.get_by_role("heading", name="Log in")).to_be_visible(timeout=SOON)
        shot(page, f"disabled-{name}")
    assert seen == set()
    assert psutil.wait_procs(doomed, 15)[1] == []

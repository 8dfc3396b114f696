"""Login in a real browser: the form, the hand-over of the session, logging out, links, and what a hostile name may do."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from hub.identity import codes
from hub.identity.roles import Role
from hub.identity.tokens import digest
from tests.identity.conftest import PASSWORD, Hub, browse, register

pytestmark = pytest.mark.browser
HOSTILE = [
    "<script>document.title='owned'</script>",
    "<img src=x onerror=\"document.title='owned'\">",
    "[click](javascript:document.title='owned')",
    "![x](x \"onerror=document.title='owned'\")",
    "</title><svg onload=document.title='owned'>",
    "{{7*7}} ${7*7} :red[x] $$x$$ **x**",
]

POST = """(fields) => {
  const form = Object.assign(document.createElement("form"), { method: "post", action: "/auth/session" })
  for (const [name, value] of Object.entries(fields))
    form.append(Object.assign(document.createElement("input"), { name, value }))
  document.body.append(form)
  form.submit()
}"""


def fill_login(page: Page, name: str, password: str = PASSWORD) -> None:
    page.get_by_role("textbox", name="User name").fill(name)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Log in").click()


def enter(hub: Hub, context: BrowserContext, name: str) -> Page:
    """A tab of somebody who has just logged in, without typing: the code comes from the service."""
    page = context.new_page()
    page.goto(f"{hub.url}/login")
    form, user = digest(cookies(page)["__Host-podium-form"]), hub.identity.find_user(name)
    with hub.database.writing("test code") as session:
        code = codes.issue(session, "login", user.id, timedelta(seconds=60), binding=form)
    page.evaluate(POST, {"code": code, "next": "/account"})
    expect(page.get_by_role("heading", name="Account")).to_be_visible(timeout=20_000)
    return page


def cookies(page: Page) -> dict[str, str]:
    return {str(cookie.get("name")): str(cookie.get("value")) for cookie in page.context.cookies()}


def test_logging_in_leads_to_where_one_wanted_to_go(hub: Hub, page: Page) -> None:
    register(hub.identity, "b-login")
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text) if "Content Security Policy" in message.text else None)
    page.goto(f"{hub.url}/account")
    expect(page).to_have_url(re.compile(r"/login\?next=%2Faccount$"))
    fill_login(page, "b-login")
    expect(page.get_by_role("heading", name="Account")).to_be_visible(timeout=20_000)
    expect(page).to_have_url(f"{hub.url}/account")
    assert "__Host-podium" in cookies(page)
    assert "podium" not in page.evaluate("document.cookie")
    assert problems == []


def test_a_wrong_password_is_one_sentence_and_the_name_stays(hub: Hub, page: Page) -> None:
    page.goto(f"{hub.url}/login")
    fill_login(page, "b-nobody", "not the password")
    expect(page.get_by_text("The name or the password is wrong.")).to_be_visible(timeout=20_000)
    expect(page.get_by_role("textbox", name="User name")).to_have_value("b-nobody")
    expect(page.get_by_label("Password", exact=True)).to_have_value("")
    assert "__Host-podium" not in cookies(page)


def test_login_waits_for_a_hub_that_is_away_and_says_so(hub: Hub, page: Page) -> None:
    register(hub.identity, "b-slow")
    page.goto(f"{hub.url}/login")
    expect(page.get_by_role("button", name="Log in")).to_be_visible(timeout=20_000)
    page.route("**/_stcore/health", lambda route: route.abort())
    fill_login(page, "b-slow")
    expect(page.get_by_text("Podium is restarting")).to_be_visible(timeout=20_000)
    page.unroute("**/_stcore/health")
    expect(page).to_have_url(f"{hub.url}/", timeout=20_000)
    assert "__Host-podium" in cookies(page)


def test_a_code_that_comes_too_late_says_so_on_the_login_page(hub: Hub, page: Page) -> None:
    page.goto(f"{hub.url}/login")
    page.evaluate(POST, {"code": "used already"})
    expect(page.get_by_text("That login took too long, or it was begun in another browser.")).to_be_visible(timeout=20_000)


@pytest.mark.parametrize(
    ("name", "path", "told"),
    [
        ("b-fields-1", "/login", ["username", "current-password"]),
        ("b-fields-2", "/set-password?link={first}", ["username", "name", "new-password", "new-password"]),
        ("b-fields-3", "/set-password?link={other}", ["username", "new-password", "new-password"]),
        ("b-fields-4", "/account", ["current-password", "new-password", "new-password"]),
    ],
)
def test_password_managers_know_the_fields(hub: Hub, tabs: Browser, name: str, path: str, told: list[str]) -> None:
    other = register(hub.identity, name)
    with tabs.new_context() as context:
        page = enter(hub, context, name) if path == "/account" else context.new_page()
        links = {"first": hub.identity.first_administrator_link() or "", "other": hub.identity.make_password_link(other.id)}
        page.goto(hub.url + path.format(**links))
        fields = page.locator("input[autocomplete]")
        expect(fields).to_have_count(len(told), timeout=20_000)
        assert fields.evaluate_all("fields => fields.map(field => field.autocomplete)") == told


def test_a_one_time_link_sets_the_password_logs_in_and_is_gone_afterwards(hub: Hub, tabs: Browser) -> None:
    user = hub.identity.add_user("b-link", "Link Reader", Role.USER)
    address = f"{hub.url}/set-password?link={hub.identity.make_password_link(user.id)}"
    with tabs.new_context() as context, tabs.new_context() as elsewhere:
        page = context.new_page()
        page.goto(address)
        page.get_by_label("Password", exact=True).fill("short")
        page.get_by_label("Password again").fill("shorter")
        page.get_by_role("button", name="Set password").click()
        expect(page.get_by_text("The two passwords differ.")).to_be_visible(timeout=20_000)
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_label("Password again").fill(PASSWORD)
        page.get_by_role("button", name="Set password").click()
        expect(page).to_have_url(f"{hub.url}/", timeout=30_000)
        assert "__Host-podium" in cookies(page)
        late = elsewhere.new_page()
        late.goto(address)
        expect(late.get_by_role("heading", name="This link does not work any more")).to_be_visible(timeout=20_000)
        expect(late.locator("input")).to_have_count(0)


@pytest.mark.case("CVE-2021-41247")
@pytest.mark.case("A8-5")
def test_logging_out_in_one_tab_ends_the_other_and_the_old_cookie_opens_nothing(hub: Hub, tabs: Browser) -> None:
    register(hub.identity, "b-tabs")
    with tabs.new_context() as context:
        one, two = enter(hub, context, "b-tabs"), context.new_page()
        sockets_closed: list[str] = []
        two.on("websocket", lambda socket: socket.on("close", lambda closing: sockets_closed.append(closing.url)))
        two.goto(f"{hub.url}/account")
        expect(two.get_by_role("heading", name="Account")).to_be_visible(timeout=20_000)
        old = cookies(one)["__Host-podium"]
        given: list[str] = []
        context.on("response", lambda answer: given.append(answer.headers.get("set-cookie", "")))
        one.get_by_role("button", name="Log out").click()
        expect(one.get_by_text("You are logged out.")).to_be_visible(timeout=20_000)
        expect(two.get_by_role("heading", name="Log in")).to_be_visible(timeout=5_000)
        assert sockets_closed
        assert "__Host-podium" not in cookies(one)
        assert not [header for header in given if re.search(r"__Host-podium=\w", header)]
    with hub.client() as client:
        assert client.get("/account", headers={"cookie": f"__Host-podium={old}"}).headers["location"].startswith("/login")


@pytest.mark.case("CVE-2024-28233")
@pytest.mark.case("A5-4")
def test_a_sibling_host_cannot_plant_a_cookie_that_the_hub_takes(hub: Hub, page: Page) -> None:
    register(hub.identity, "b-tossed")
    sibling = hub.url.replace("localhost", "evil.localhost")
    page.route(f"{sibling}/**", lambda route: route.fulfill(body="<p>an environment</p>", content_type="text/html"))
    page.goto(f"{sibling}/")
    page.evaluate("""() => {
      for (const name of ["podium", "__Host-podium", "__Host-podium-form", "_streamlit_xsrf"])
        for (const more of ["Domain=localhost; Path=/", "Domain=localhost; Path=/; Secure", "Path=/auth; Domain=localhost"])
          document.cookie = `${name}=planted; ${more}`
    }""")
    page.goto(f"{hub.url}/login?next=/account")
    fill_login(page, "b-tossed")
    expect(page.get_by_role("heading", name="Account")).to_be_visible(timeout=20_000)
    assert cookies(page)["__Host-podium"] != "planted"


@pytest.mark.case("GHSA-c4gm-pwx9-9w8j")
@pytest.mark.parametrize("number", range(len(HOSTILE)))
def test_a_hostile_name_is_shown_as_it_is_and_does_nothing(hub: Hub, tabs: Browser, number: int) -> None:
    name = f"b-hostile-{number}"
    register(hub.identity, name, display_name=HOSTILE[number])
    with tabs.new_context() as context:
        page = enter(hub, context, name)
        expect(page.get_by_text(HOSTILE[number], exact=True)).to_be_visible(timeout=20_000)
        expect(page.get_by_text(f"Logged in as {HOSTILE[number]}", exact=True)).to_be_visible(timeout=20_000)
        assert "owned" not in page.title()
        assert page.locator("[onerror], [onload], a[href^=javascript]").count() == 0


@pytest.mark.case("CVE-2023-27494")
@pytest.mark.parametrize("number", range(len(HOSTILE)))
def test_a_hostile_query_is_not_part_of_a_page(hub: Hub, page: Page, number: int) -> None:
    for path in ("/login?again=", "/login?next=", "/set-password?link="):
        page.goto(hub.url + path + HOSTILE[number].replace("#", "%23"))
        expect(page.get_by_role("heading").first).to_be_visible(timeout=20_000)
        assert "owned" not in page.title()
        assert HOSTILE[number] not in page.locator("body").inner_text()


@pytest.mark.case("A8-9")
def test_a_person_ends_another_browser_s_session_on_the_account_page(hub: Hub, tabs: Browser) -> None:
    register(hub.identity, "b-devices")
    token, _ = browse(hub.identity, "b-devices")
    with tabs.new_context() as context:
        page = enter(hub, context, "b-devices")
        expect(page.get_by_text("This browser")).to_be_visible(timeout=20_000)
        page.get_by_role("button", name="End", exact=True).click()
        expect(page.get_by_text("That browser is logged out.")).to_be_visible(timeout=20_000)
    assert hub.identity.sessions.resolve(token) is None


def test_changing_the_password_on_the_page_logs_other_browsers_out(hub: Hub, tabs: Browser) -> None:
    register(hub.identity, "b-change")
    token, _ = browse(hub.identity, "b-change")
    with tabs.new_context() as context:
        page = enter(hub, context, "b-change")
        page.get_by_label("Present password").fill(PASSWORD)
        page.get_by_label("New password", exact=True).fill("nine grey geese at noon")
        page.get_by_label("New password again").fill("nine grey geese at noon")
        page.get_by_role("button", name="Change password").click()
        expect(page.get_by_text("Your password is changed.")).to_be_visible(timeout=20_000)
    assert hub.identity.sessions.resolve(token) is None

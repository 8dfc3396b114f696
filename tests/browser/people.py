"""What a person does in a browser, in the person's words."""

import json
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from weakref import WeakKeyDictionary

from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeout

SHOTS = Path(__file__).resolve().parents[2] / "build" / "screenshots"
PASSWORD = "a horse, a battery and a staple"
FOREIGN_TEXTS = (
    "CONNECTING", "Connection error", "Connection failed", "Failed to fetch dynamically imported module",
    "Is Streamlit still running",
)  # fmt: skip
"""What Streamlit says of lost connections; nobody should meet it."""
PATIENCE = float(os.environ.get("TEST_PATIENCE", "30")) * 1000
"""Milliseconds that a page may take; a loaded machine may be given more."""
SOON = PATIENCE / 3
"""Milliseconds within which a tab whose session or environment ended shows Podium's own page: 10 s."""


@dataclass
class Person:
    """Somebody at a browser of their own."""

    context: BrowserContext
    first_tab: Page
    url: str
    name: str = ""

    @property
    def hub(self) -> Page:
        """The tab with Podium in it; whoever turns to it has it in front. One behind is drawn once a second only."""
        self.first_tab.bring_to_front()
        return self.first_tab

    def sign_up(self, link: str, name: str, full_name: str = "") -> None:
        """Follow a one-time link, set name and password, and end on the Environments page."""
        self.name = name
        self.hub.goto(link)
        password = self.hub.get_by_label("Password", exact=True)
        expect(password).to_be_visible()
        if full_name:
            self.hub.get_by_label("User name").fill(name)
            self.hub.get_by_label("Full name").fill(full_name)
        password.fill(PASSWORD)
        self.hub.get_by_label("Password again").fill(PASSWORD)
        self.hub.get_by_role("button", name="Set password").click()
        self.at_environments()

    def is_logged_in(self, name: str, cookie: str, value: str) -> None:
        """Begin at the Environments page with a session that was made for this browser."""
        self.name = name
        put_in(self.context, self.url, cookie, value)
        self.hub.goto(self.url)
        self.at_environments()

    def log_in(self, name: str, password: str = PASSWORD) -> None:
        self.name = name
        self.hub.goto(f"{self.url}/login")
        fill_login(self.hub, name, password)

    def at_environments(self) -> None:
        expect(self.hub.get_by_role("heading", name="Environments", exact=True)).to_be_visible()

    def launch(self, name: str, size: str = "Light") -> None:
        """Press the button, fill the form, press again."""
        dialog = self.fill_launch(name, size)
        dialog.get_by_role("button", name="Launch environment").click()
        expect(dialog).to_be_hidden()

    def fill_launch(self, name: str, size: str = "Light") -> Locator:
        """The filled dialog, not yet sent."""
        self.hub.get_by_role("button", name="Launch environment").first.click()
        dialog = self.hub.get_by_role("dialog")
        field = dialog.get_by_label("Name")
        field.fill(name)
        field.press("Tab")
        dialog.get_by_role("radio", name=size).or_(dialog.get_by_role("button", name=size, exact=True)).first.click()
        return dialog

    def card(self, name: str) -> Locator:
        """The card of one environment."""
        return self.hub.locator('[class*="st-key-environment-"]').filter(has_text=name)

    def address(self, name: str) -> str:
        """Where an environment opens, once it runs."""
        link = self.card(name).get_by_role("link", name="Open environment")
        expect(link).to_be_visible()
        return link.get_attribute("href") or ""

    def open(self, name: str) -> Page:
        """Press *Open environment*; the tab in which it opens."""
        self.address(name)
        with self.context.expect_page() as opened:
            self.card(name).get_by_role("link", name="Open environment").click()
        tab = opened.value
        expect(tab.get_by_role("heading", name="Overview")).to_be_visible()
        return tab

    def stop(self, name: str) -> None:
        self.card(name).get_by_role("button", name="Stop").click()
        expect(self.card(name)).to_contain_text("Stopped for")

    def relaunch(self, name: str) -> None:
        self.card(name).get_by_role("button", name="Launch").click()

    def cancel_or_stop(self, name: str) -> None:
        """End it, however far it has come."""
        self.card(name).get_by_role("button", name=re.compile("^(Cancel|Stop)$")).first.click()
        expect(self.card(name).get_by_role("button", name="Launch")).to_be_visible()

    def delete(self, name: str, typed: str = "", refused: str = "") -> None:
        """Delete an environment and keep its files; `refused` is what the dialog says to a wrong confirmation."""
        self.card(name).get_by_role("button", name="More").click()
        self.hub.get_by_role("menuitem", name="Delete").click()
        dialog = self.hub.get_by_role("dialog")
        dialog.get_by_role("textbox").fill(typed or name)
        dialog.get_by_role("textbox").press("Tab")
        dialog.get_by_role("button", name="Delete environment").click()
        if refused:
            expect(dialog.get_by_role("alert")).to_contain_text(refused)
            dialog.get_by_role("button", name="Close").click()
            return
        expect(self.card(name)).to_have_count(0)

    def visit(self, address: str) -> Page:
        """Another tab, at an address."""
        tab = self.context.new_page()
        tab.goto(address)
        return tab

    def log_out(self) -> None:
        self.hub.get_by_role("link", name="Account").click()
        self.hub.get_by_role("button", name="Log out").click()
        expect(self.hub.get_by_role("heading", name="Log in")).to_be_visible()


@contextmanager
def person(browser: Browser, url: str) -> Iterator[Person]:
    """A new person with an empty browser."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, color_scheme="light", locale="en-GB")
    context.set_default_timeout(PATIENCE)
    expect.set_options(timeout=PATIENCE)
    try:
        yield Person(context, context.new_page(), url)
    finally:
        context.close()


def put_in(context: BrowserContext, url: str, cookie: str, value: str) -> None:
    """Give a browser a session's cookie. A Secure one can come from https alone; it is sent on loopback too."""
    secure = url.replace("http:", "https:")
    context.add_cookies([{"name": cookie, "value": value, "url": secure, "httpOnly": True, "secure": True}])


def fill_login(tab: Page, name: str, password: str = PASSWORD) -> None:
    """On the login page of any tab."""
    tab.get_by_label("User name").fill(name)
    tab.get_by_label("Password", exact=True).fill(password)
    tab.get_by_role("button", name="Log in").click()


_watched: WeakKeyDictionary[BrowserContext, set[str]] = WeakKeyDictionary()
"""What was seen so far, for each browser that is watched."""


def see_foreign_texts(context: BrowserContext) -> set[str]:
    """From now on: the texts of Streamlit's about connections that any tab shows, even for a moment."""
    if context in _watched:
        _watched[context].clear()
        return _watched[context]
    seen = _watched[context] = set[str]()

    def saw(text: str) -> None:
        seen.add(text)

    context.expose_function("podiumTestSaw", saw)
    context.add_init_script(
        # innerText says what is seen, and lays the page out to know; textContent costs little and holds it and more.
        f"setInterval(() => {json.dumps(FOREIGN_TEXTS)}.filter((text) => document.body?.textContent.includes(text)"
        " && document.body.innerText.includes(text)).forEach((text) => window.podiumTestSaw(text)), 100)"
    )
    return seen


def upload(tab: Page, *files: Path) -> None:
    """In the environment: put files into the open folder of the workspace."""
    tab.get_by_role("link", name="Files").click()
    expect(tab.get_by_role("heading", name="Files", exact=True)).to_be_visible()
    choose(tab, files)
    for file in files:
        expect(tab.get_by_text(file.name, exact=True).first).to_be_visible()
    tab.get_by_role("button", name="Upload", exact=True).click()
    expect(tab.get_by_text(re.compile(r"files? lies? in your workspace now"))).to_be_visible(timeout=4 * PATIENCE)
    expect(tab.locator('input[type="file"]')).to_have_count(0)


def choose(tab: Page, files: Sequence[Path]) -> None:
    """Opening the field runs the page once more, and a field that is drawn anew forgets what was chosen: so choose again."""
    field, chosen = open_upload(tab), tab.get_by_text(files[-1].name, exact=True).first
    for _ in range(5):
        field.set_input_files(list(files))
        with suppress(PlaywrightTimeout):
            chosen.wait_for(timeout=PATIENCE / 5)
            return


def open_upload(tab: Page) -> Locator:
    """The field for files. A click that comes while the page is still being drawn opens nothing, so press again."""
    field = tab.locator('input[type="file"]').first
    for _ in range(20):
        tab.get_by_role("button", name="Upload files").click()
        with suppress(PlaywrightTimeout):
            field.wait_for(state="attached", timeout=PATIENCE / 10)
            return field
    return field


def shot(page: Page, name: str, *, whole: bool = False) -> None:
    """Keep a picture of what is seen of the page, or of the whole of it."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / f"{name}.png", full_page=whole)

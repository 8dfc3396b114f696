"""Every door in both themes, wide and narrow: nothing for axe-core to complain of, and pictures."""

from collections.abc import Iterator

import pytest
from jinja2 import Environment, PackageLoader
from playwright.sync_api import Page

from hub.routing.addresses import Kind, Place
from hub.routing.decisions import Denied, Door
from tests.browser.looking import look
from tests.routing.front import BROWSER, Front
from tests.routing.test_doors import PAGES
from tests.support.chromium import launched

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with launched() as browser:
        yield browser.new_page(viewport={"width": 1280, "height": 900})


@pytest.mark.parametrize("front", [("gateway", "host")], indirect=True)
def test_doors_can_be_read_by_everyone(front: Front, page: Page) -> None:
    doors = front.world.routing.doors
    texts = {slug: front.get(slug, "/", cookie=front.cookie(front.alice, slug), headers=BROWSER).text for slug in PAGES}
    for door in (Door.USED, Door.AWAY, Door.UNKNOWN):
        texts[door.value] = bytes(doors.page(Denied(door), Place(Kind.HUB, "/"), "/").body).decode()
    texts["nginx-restarting"] = Environment(loader=PackageLoader("hub.routing")).get_template("restarting.html.j2").render()
    for name, text in texts.items():
        page.set_content(text)
        look(page, f"door-{name}")

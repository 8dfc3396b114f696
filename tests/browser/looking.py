"""How a page looks: pictures of it in both themes, wide and narrow, and what axe-core finds."""

from typing import Literal

from playwright.sync_api import Page, expect

from tests.browser.axe import violations
from tests.browser.people import shot

_Theme = Literal["light", "dark"]
THEMES: tuple[_Theme, ...] = ("light", "dark")
_IS_DARK = """(dark) => {
  const ground = getComputedStyle(document.querySelector("[data-testid=stApp]") ?? document.body).backgroundColor
  return ground.match(/[\\d.]+/g).slice(0, 3).every((part) => part < 128) === dark
}"""
NARROW = {"width": 420, "height": 850}
WIDE = {"width": 1280, "height": 900}


def look(page: Page, name: str) -> None:
    """Keep pictures of it in both themes, and narrow; it fits, and axe-core finds nothing."""
    found = []
    for theme in THEMES:
        _turn(page, theme)
        shot(page, f"{name}-{theme}")
        found += [f"{theme}: {violation}" for violation in violations(page)]
    page.set_viewport_size(NARROW)  # type: ignore[arg-type]
    _turn(page, THEMES[-1])
    shot(page, f"{name}-narrow", whole=True)
    width = page.evaluate("document.scrollingElement.scrollWidth")
    page.set_viewport_size(WIDE)  # type: ignore[arg-type]
    assert not found, "\n".join(found)
    assert width <= NARROW["width"]


def picture(page: Page, name: str) -> None:
    """Keep pictures of what is still being drawn."""
    for theme in THEMES:
        _dress(page, theme)
        shot(page, f"{name}-{theme}")


def _turn(page: Page, theme: _Theme) -> None:
    """To the theme; nothing is being drawn any more, and nothing moves."""
    _dress(page, theme)
    expect(page.locator("[data-stale=true], [data-testid=stSkeleton]")).to_have_count(0)
    page.wait_for_function(
        "document.getAnimations().every((one) => one.playState !== 'running' || one.effect.getTiming().iterations === Infinity)"
    )


def _dress(page: Page, theme: _Theme) -> None:
    """As when the person's system changes from day to night."""
    page.emulate_media(color_scheme=theme)
    page.wait_for_function(_IS_DARK, arg=theme == "dark")

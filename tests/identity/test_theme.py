"""The theme's colours can be read by everyone: WCAG 2 contrast, computed from the configuration itself."""

import tomllib
from pathlib import Path

import pytest

from hub.identity.middleware import without_identity

CONFIG = tomllib.loads((Path(__file__).parents[2] / ".streamlit" / "config.toml").read_text("utf-8"))
HUES = ("red", "orange", "yellow", "blue", "green", "violet", "gray")
TEXT, GRAPHIC = 4.5, 3.0
CHART = 2.9
"""A little below that of other graphics: every mark of a chart is also named, in the legend and on hovering."""


@pytest.fixture(params=["light", "dark"])
def theme(request: pytest.FixtureRequest) -> dict[str, str]:
    colours: dict[str, str] = CONFIG["theme"][request.param]
    return colours


def luminance(colour: str) -> float:
    def linear(channel: float) -> float:
        return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4

    red, green, blue = (linear(int(colour[place : place + 2], 16) / 255) for place in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def mixed(colour: str, ground: str, share: float) -> str:
    pairs = ((int(colour[place : place + 2], 16), int(ground[place : place + 2], 16)) for place in (1, 3, 5))
    return "#" + "".join(f"{round(share * over + (1 - share) * under):02x}" for over, under in pairs)


def test_the_formula_gives_the_known_extremes() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#777777") == 1


def test_text_and_links_can_be_read_on_every_ground(theme: dict[str, str]) -> None:
    for ground in ("backgroundColor", "secondaryBackgroundColor", "codeBackgroundColor"):
        assert contrast(theme["textColor"], theme[ground]) >= TEXT
        assert contrast(theme["linkColor"], theme[ground]) >= TEXT


def test_captions_can_be_read_though_streamlit_draws_them_at_sixty_percent(theme: dict[str, str]) -> None:
    for ground in ("backgroundColor", "secondaryBackgroundColor"):
        assert contrast(mixed(theme["textColor"], theme[ground], 0.6), theme[ground]) >= TEXT


def test_white_can_be_read_on_a_primary_button(theme: dict[str, str]) -> None:
    assert contrast("#ffffff", theme["primaryColor"]) >= TEXT


def test_the_primary_colour_stands_out_from_the_page(theme: dict[str, str]) -> None:
    assert contrast(theme["primaryColor"], theme["backgroundColor"]) >= GRAPHIC


@pytest.mark.parametrize("hue", HUES)
def test_badges_and_coloured_text_can_be_read(theme: dict[str, str], hue: str) -> None:
    text = theme[f"{hue}TextColor"]
    assert contrast(text, theme[f"{hue}BackgroundColor"]) >= TEXT
    assert contrast(text, theme["backgroundColor"]) >= TEXT


def test_charts_stand_out_from_both_grounds(theme: dict[str, str]) -> None:
    for colour in theme["chartCategoricalColors"]:
        assert contrast(colour, theme["backgroundColor"]) >= CHART, colour


@pytest.mark.case("A6-2")
@pytest.mark.case("A6-4")
def test_no_page_shows_details_of_an_error_and_no_other_site_gets_in() -> None:
    assert CONFIG["client"]["showErrorDetails"] == "none"
    assert CONFIG["server"]["enableCORS"] is True
    assert CONFIG["server"]["enableXsrfProtection"] is True
    assert CONFIG["server"]["xsrfCookieSameSite"] == "strict"


def test_the_trusted_headers_are_all_stripped_from_what_a_client_sends() -> None:
    sent = [(name.encode(), b"forged") for name in CONFIG["server"]["trustedUserHeaders"]]
    assert len(sent) == 3
    assert without_identity(sent) == []

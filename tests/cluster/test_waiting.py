"""What a person sees of a start that no node can take: which resource is short, and how much room there is."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.looking import look
from tests.browser.people import person
from tests.cluster.installed import Release, installed

PROFILES = """
[[profile]]
name = "Quantum"
description = "On a device that no node has"
cpu = 1
memory = "1Gi"
[profile.placement]
resources = { "example.org/quantum" = 1 }
"""


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Release]:
    profiles = tmp_path_factory.mktemp("presets") / "profiles.toml"
    profiles.write_text(PROFILES, encoding="utf-8")
    with installed(profiles=profiles) as one:
        yield one


def test_a_start_that_no_node_can_take_says_what_is_short_and_how_much_is_free(release: Release, browsers: Browser) -> None:
    with person(browsers, release.url) as ada:
        ada.sign_up(release.link, "ada", "Ada Lovelace")
        ada.launch("Qubits", "Quantum")
        card = ada.card("Qubits")
        expect(card).to_contain_text("has no example.org/quantum free")
        expect(card).to_contain_text("The most that one node has free now is")
        look(ada.hub, "environments-no-node")
        card.get_by_role("button", name="Cancel").click()
        expect(card).to_contain_text("Stopped for")
        ada.hub.goto(f"{release.url}/clusters")
        expect(ada.hub.get_by_text("Launches here")).to_be_visible()
        expect(ada.hub.get_by_text("volumes of class standard, which grow")).to_be_visible()
        look(ada.hub, "clusters-kubernetes")

"""What people type and press, right or wrong: each gets a plain sentence, and nothing is lost."""

import re
import tarfile
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.outside import servers
from tests.browser.people import Person, shot
from tests.support.podium import Podium

pytestmark = pytest.mark.browser

FINE = ["Ωmega данные شبكة 🌱 growth 🌍", "../..%2fx <b>bold</b> & *stars* :red[x]"]
WRONG = {
    "": "needs a name",
    "   ": "needs a name",
    "x" * 10_000: "at most 60 fit",
    "in\u200bvisible": "invisible",
}


@pytest.fixture(autouse=True)
def at_environments(ada: Person) -> None:
    """Where every test begins, whatever the one before has left open."""
    ada.hub.goto(ada.url)
    ada.at_environments()


def sane(person: Person) -> None:
    """No page shows the inside of a program."""
    text = person.hub.locator("body").inner_text()
    assert not re.search(r"Traceback|Error:|Exception|line \d+, in", text)


def send(dialog: Locator) -> None:
    dialog.get_by_role("button", name="Launch environment").click()


@pytest.mark.parametrize("name", FINE)
def test_a_name_may_be_in_any_script_and_is_only_text(house: Podium, ada: Person, name: str) -> None:
    ada.launch(name)
    expect(ada.hub.get_by_text(name, exact=True).first).to_be_visible()
    sane(ada)
    ada.cancel_or_stop(name)
    ada.delete(name)
    assert all(re.fullmatch("[0-9a-f]{32}", path.name) for path in (house.folder / "data" / "workspaces").iterdir())


def test_a_name_that_cannot_be_one_is_refused_where_it_was_typed(ada: Person) -> None:
    dialog = ada.fill_launch("first")
    field = dialog.get_by_label("Name")
    for name, words in WRONG.items():
        type_over(field, name)
        send(dialog)
        expect(dialog.get_by_role("alert")).to_contain_text(words)
        sane(ada)
    shot(ada.hub, "launch-refused")
    dialog.get_by_role("button", name="Close").click()
    expect(ada.hub.get_by_text("You have no environment yet")).to_be_visible()


def type_over(field: Locator, text: str) -> None:
    """As a paste does: what the field does not take is cut off."""
    field.press("ControlOrMeta+a")
    if text:
        field.page.keyboard.insert_text(text)
    else:
        field.press("Delete")
    field.press("Tab")


def test_numbers_outside_the_limits_are_refused_with_the_limits(ada: Person) -> None:
    dialog = ada.fill_launch("Huge", "Custom")
    refused = [
        ("CPU cores", "0", "0 CPU is not possible here. Choose between 0.1 and 8."),
        ("CPU cores", "-1", "-1 CPU is not possible here."),
        ("CPU cores", "9999", "9999 CPU is not possible here."),
        ("Memory in GB", "0", "0 bytes of memory is not possible here. Choose between 300 MB and 17 GB."),
        ("Memory in GB", "-1", "-1.0 GB of memory is not possible here."),
        ("Memory in GB", "9999", "10 TB of memory is not possible here."),
    ]
    for label, number, refusal in refused:
        field = dialog.get_by_label(label, exact=True)
        field.fill(number)
        field.press("Tab")
        send(dialog)
        expect(dialog.get_by_role("alert").filter(has_text=refusal)).to_be_visible()
        type_over(field, "1")
        sane(ada)
    shot(ada.hub, "launch-custom")
    dialog.get_by_role("button", name="Close").click()


def test_an_open_dialog_keeps_what_was_typed_while_environments_change_their_state(house: Podium, ada: Person) -> None:
    ada.launch("Changing")
    ada.address("Changing")
    dialog = ada.fill_launch("Half a name")
    [server] = servers(house.folder / "data", "Changing")
    server.kill()
    expect(ada.card("Changing")).to_contain_text("Failed")
    expect(dialog.get_by_label("Name")).to_have_value("Half a name")
    dialog.get_by_label("Name").press("End")
    ada.hub.keyboard.insert_text(" more")
    send(dialog)
    expect(dialog).to_be_hidden()
    ada.cancel_or_stop("Half a name more")
    for name in ("Changing", "Half a name more"):
        ada.delete(name)


def test_a_dialog_that_was_left_by_the_browser_s_back_does_not_come_again(ada: Person) -> None:
    ada.hub.get_by_role("link", name="Workspaces", exact=True).click()
    expect(ada.hub.get_by_role("heading", name="Workspaces", exact=True)).to_be_visible()
    ada.hub.get_by_role("link", name="Environments", exact=True).click()
    ada.at_environments()
    ada.hub.get_by_role("button", name="Launch environment").first.click()
    dialog = ada.hub.get_by_role("dialog")
    dialog.get_by_label("Name").press_sequentially("Left behind")
    # Nothing is chosen here: Streamlit asks for a run of the page that was left, and shows neither page, where a choice
    # and the browser's back come within the same few milliseconds.
    ada.hub.go_back()
    expect(ada.hub.get_by_role("heading", name="Workspaces", exact=True)).to_be_visible()
    expect(dialog).to_be_hidden()
    ada.hub.get_by_role("link", name="Environments", exact=True).click()
    ada.at_environments()
    expect(dialog).to_be_hidden()


def test_more_environments_than_allowed_are_refused_with_the_number(bob: Person) -> None:
    for number in range(4):
        bob.launch(f"Number {number}")
    dialog = bob.fill_launch("One too many")
    send(dialog)
    expect(dialog.get_by_role("alert")).to_contain_text(re.compile(r"\b4\b"))
    shot(bob.hub, "launch-quota")
    sane(bob)
    dialog.get_by_role("button", name="Close").click()
    expect(bob.card("One too many")).to_have_count(0)
    for number in range(4):
        bob.cancel_or_stop(f"Number {number}")


def test_files_outlive_their_environment_and_are_downloaded_and_deleted(house: Podium, ada: Person, tmp_path: Path) -> None:
    ada.launch("Short lived")
    tab = ada.open("Short lived")
    tab.get_by_role("button", name="Keep the example").click()
    expect(tab.get_by_text("Largest files")).to_be_visible()
    [kept] = (house.folder / "data" / "workspaces").glob("*/*.csv")
    ada.delete("Short lived", typed="short lived", refused="exactly")
    ada.delete("Short lived")
    assert kept.exists()

    ada.hub.get_by_role("link", name="Workspaces", exact=True).click()
    card = ada.hub.locator('[class*="st-key-workspace-"]').filter(has_text="Short lived")
    with ada.hub.expect_download() as download:
        card.get_by_role("link", name="Download").click()
    archive = tmp_path / download.value.suggested_filename
    download.value.save_as(archive)
    assert archive.name.endswith(".tar.gz")
    with tarfile.open(archive, "r:gz") as opened:
        assert any(name.endswith(kept.name) for name in opened.getnames())

    card.get_by_role("button", name="Launch with it").click()
    dialog = ada.hub.get_by_role("dialog")
    dialog.get_by_label("Name").fill("Second life")
    dialog.get_by_label("Name").press("Tab")
    send(dialog)
    ada.at_environments()
    again = ada.open("Second life")
    expect(again.get_by_text("Largest files")).to_be_visible()
    ada.stop("Second life")
    ada.delete("Second life")

    ada.hub.get_by_role("link", name="Workspaces", exact=True).click()
    card.get_by_role("button", name="More").click()
    ada.hub.get_by_role("menuitem", name="Delete").click()
    dialog.get_by_role("textbox").fill("something else")
    dialog.get_by_role("button", name="Delete workspace").click()
    expect(dialog.get_by_role("alert")).to_contain_text("exactly")
    assert kept.exists()
    dialog.get_by_role("textbox").fill("Short lived")
    dialog.get_by_role("button", name="Delete workspace").click()
    expect(ada.hub.get_by_text("The workspace was deleted")).to_be_visible()
    expect(card).to_have_count(0)
    ada.hub.get_by_role("link", name="Environments", exact=True).click()

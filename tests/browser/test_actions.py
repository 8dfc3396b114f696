"""What a card's menu does: restart, show the log, delete with the files too."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.looking import look
from tests.browser.outside import servers
from tests.browser.people import Person, open_upload
from tests.support.podium import Podium

pytestmark = pytest.mark.browser


def choose(person: Person, name: str, act: str) -> None:
    person.card(name).get_by_role("button", name="More").click()
    person.hub.get_by_role("menuitem", name=act).click()


def dialog_of(person: Person) -> Locator:
    return person.hub.get_by_role("dialog")


def test_restart_begins_a_new_run_in_the_same_place(house: Podium, bob: Person) -> None:
    bob.launch("Fresh start")
    address = bob.address("Fresh start")
    [before] = servers(house.folder / "data", "Fresh start")
    choose(bob, "Fresh start", "Restart")
    expect(bob.card("Fresh start")).to_contain_text(re.compile("Stopping|Starting"))
    assert bob.address("Fresh start") == address
    [after] = servers(house.folder / "data", "Fresh start")
    assert after != before
    assert not before.is_running()
    bob.stop("Fresh start")


def test_the_log_holds_what_the_environment_wrote_last(house: Podium, bob: Person) -> None:
    bob.launch("Talks")
    bob.address("Talks")
    choose(bob, "Talks", "Show log")
    expect(dialog_of(bob).get_by_text("Nothing was written yet")).to_be_visible()
    dialog_of(bob).get_by_role("button", name="Close").click()
    [server] = servers(house.folder / "data", "Talks")
    with Path(f"/proc/{server.pid}/fd/1").open("a", encoding="utf-8") as its_output:
        its_output.write("fitting 12 models\nall of them have converged\n")
    choose(bob, "Talks", "Show log")
    expect(dialog_of(bob).get_by_text("all of them have converged")).to_be_visible()
    look(bob.hub, "log")
    dialog_of(bob).get_by_role("button", name="Close").click()
    bob.stop("Talks")


def test_deleting_the_files_too_leaves_no_workspace(house: Podium, bob: Person) -> None:
    bob.launch("Goes with its files")
    bob.address("Goes with its files")
    bob.stop("Goes with its files")
    before = set((house.folder / "data" / "workspaces").iterdir())
    choose(bob, "Goes with its files", "Delete")
    look(bob.hub, "delete-dialog")
    dialog_of(bob).get_by_text("Delete the files too").click()
    dialog_of(bob).get_by_role("textbox").fill("Goes with its files")
    dialog_of(bob).get_by_role("textbox").press("Tab")
    dialog_of(bob).get_by_role("button", name="Delete environment").click()
    expect(bob.card("Goes with its files")).to_have_count(0)
    bob.hub.goto(f"{bob.url}/workspaces")
    expect(bob.hub.get_by_text("You have no workspace yet")).to_be_visible()
    for _ in range(200):
        if len(set((house.folder / "data" / "workspaces").iterdir()) & before) < len(before):
            return
        bob.hub.wait_for_timeout(50)
    pytest.fail("the folder is still there")


def test_dialogs_of_workspaces(bob: Person) -> None:
    bob.hub.goto(f"{bob.url}/workspaces")
    bob.hub.get_by_role("button", name="New workspace").click()
    expect(dialog_of(bob).get_by_role("textbox")).to_be_visible()
    look(bob.hub, "new-workspace-dialog")
    dialog_of(bob).get_by_role("textbox").fill("Maps")
    dialog_of(bob).get_by_role("textbox").press("Tab")
    dialog_of(bob).get_by_role("button", name=re.compile("Make|Create|New")).click()
    expect(dialog_of(bob)).to_be_hidden()
    bob.hub.get_by_role("button", name="Launch").first.click()
    expect(dialog_of(bob).get_by_role("button", name="Launch environment")).to_be_visible()
    look(bob.hub, "launch-with-workspace-dialog")
    dialog_of(bob).get_by_role("button", name="Close").click()
    bob.hub.get_by_role("button", name="More").first.click()
    bob.hub.get_by_role("menuitem", name="Delete").click()
    expect(dialog_of(bob).get_by_role("textbox")).to_be_visible()
    look(bob.hub, "delete-workspace-dialog")


def test_a_file_above_the_limit_is_refused_where_it_was_chosen_and_nothing_is_lost(bob: Person, tmp_path: Path) -> None:
    huge = tmp_path / "huge.bin"
    with huge.open("wb") as stream:
        stream.truncate(1_100 * 2**20)
    bob.launch("Too much")
    bob.address("Too much")
    tab = bob.open("Too much")
    tab.get_by_role("link", name="Files").click()
    expect(tab.get_by_role("heading", name="Files", exact=True)).to_be_visible()
    open_upload(tab).set_input_files(huge)
    expect(tab.get_by_text(re.compile("must be .*(1000 ?MB|1(.0)? ?GB) or smaller"))).to_be_visible()
    tab.reload()
    expect(tab.get_by_text("This folder is empty")).to_be_visible()
    bob.stop("Too much")

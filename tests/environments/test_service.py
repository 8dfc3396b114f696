"""What people may ask for and what they are told: limits, hostile input, other people's environments."""

import threading
from collections.abc import Callable

import pytest

from hub.clusters.service import register
from hub.environments import steps
from hub.environments.catalog import CUSTOM, Custom
from hub.environments.launching import LaunchOrder
from hub.environments.model import Environment, Phase, Target
from hub.environments.views import EnvironmentFilter, EnvironmentView
from hub.errors import ClusterSilent, Conflict, Invalid, LimitReached, NotFound, PodiumError
from hub.identity.person import Person
from hub.identity.roles import Role
from hub.workspaces.model import Workspace
from tests.support.environment_hub import Hub

NAMES_IN_EVERY_SCRIPT = [
    "Анализ",
    "分析",
    "تحليل",
    "विश्लेषण",
    "análisis",
    "😀 data",
    "👩‍🔬",
    "a.b@x",
    "a-b@x",
    "..",
    "../../etc",
    "%2f",
    "<script>",
]


@pytest.mark.parametrize("name", NAMES_IN_EVERY_SCRIPT)
def test_a_name_in_any_script_gets_an_address_that_dns_takes(hub: Hub, name: str) -> None:
    view = hub.launch(hub.person("ada"), name)
    assert view.name == name
    assert view.slug.isascii()
    assert all(character.isalnum() or character == "-" for character in view.slug)
    assert len(view.slug) <= 40
    assert view.slug[0].isalpha()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("", "needs a name"),
        ("   ", "needs a name"),
        ("x" * 10_000, "10,000 characters"),
        ("a\0b", "invisible"),
        ("a\u202eb", "invisible"),
    ],
)
def test_a_name_that_cannot_be_is_refused_in_words(hub: Hub, name: str, words: str) -> None:
    ada = hub.person("ada")
    with pytest.raises(Invalid, match=words):
        hub.launch(ada, name)
    assert hub.environments.of(ada) == []
    assert hub.workspaces.search(ada)[0] == []


@pytest.mark.case("CVE-2026-55432")
@pytest.mark.parametrize(
    ("custom", "words"),
    [
        (None, "needs a number of CPU cores"),
        (Custom(0, 2**30), "0 CPU is not possible"),
        (Custom(-1, 2**30), "-1 CPU is not possible"),
        (Custom(9, 2**30), "Choose between 0.1 and 8"),
        (Custom(float("nan"), 2**30), "not possible"),
        (Custom(1, -1), "of memory is not possible"),
        (Custom(1, 2**50), "Choose between 300 MB and 17 GB"),
    ],
)
def test_custom_resources_outside_the_limits_are_refused_with_the_numbers(hub: Hub, custom: Custom | None, words: str) -> None:
    with pytest.raises(Invalid, match=words):
        hub.environments.launch(hub.person("ada"), LaunchOrder("x", CUSTOM, custom))


def test_a_preset_that_is_gone_is_refused_with_those_that_are_there(hub: Hub) -> None:
    with pytest.raises(Invalid, match=r"Light, Standard, Heavy, Custom"):
        hub.launch(hub.person("ada"), profile="Gone")


def test_what_can_never_fit_is_refused_with_the_numbers(hub: Hub) -> None:
    hub.spawner.capacity = 100 * 2**20
    with pytest.raises(LimitReached, match=r"can never fit: it asks for 268 MB of memory, and this machine has 105 MB"):
        hub.launch(hub.person("ada"))


def test_an_environment_of_a_cluster_that_is_not_in_the_settings_any_more_is_left_alone_and_says_so(hub: Hub) -> None:
    ada = hub.person("ada")
    view = hub.launch(ada)
    register(hub.database, "elsewhere", "kubernetes", "localhost", "another credential")
    with hub.database.writing("test cluster") as session:
        session.get_one(Environment, view.id).cluster_id = "elsewhere"
    hub.controller.round()
    assert hub.environments.get(ada, view.id).phase is Phase.QUEUED
    hub.environments.stop(ada, view.id)
    with pytest.raises(ClusterSilent, match=r"“elsewhere” is not part of this Podium's settings"):
        hub.environments.relaunch(ada, view.id)


def test_the_limit_counts_what_is_queued_starting_or_running_and_names_it(hub: Hub) -> None:
    ada = hub.person("ada")
    for name in ("one", "two", "three"):
        hub.launch(ada, name)
    with pytest.raises(LimitReached, match=r"You may have 3 running at once, and “one”, “three”, “two” already run. Stop one"):
        hub.launch(ada, "four")
    hub.launch(hub.person("bob"), "four")


@pytest.mark.parametrize(("held", "capacity", "refused"), [(2**40, None, True), (1, None, False), (2**40, 2**41, False)])
def test_a_workspace_that_no_volume_holds_to_its_size_is_held_by_the_next_launch(
    hub: Hub, held: int, capacity: int | None, *, refused: bool
) -> None:
    ada = hub.person("ada")
    view = hub.launch(ada, "full")
    hub.environments.stop(ada, view.id)
    hub.controller.round()
    with hub.database.writing("test size") as session:
        workspace = session.get_one(Workspace, session.get_one(Environment, view.id).workspace_id)
        workspace.size, workspace.capacity = held, capacity
    if not refused:
        hub.environments.relaunch(ada, view.id)
        return
    with pytest.raises(LimitReached, match=r"holds 1.1 TB, and this size may hold 11 GB. Choose a larger size"):
        hub.environments.relaunch(ada, view.id)


@pytest.mark.case("R8")
def test_fifty_launches_at_once_at_the_limit_never_exceed_it(hub: Hub) -> None:
    ada = hub.person("ada")
    outcomes = at_once([lambda number=number: hub.launch(ada, f"run {number}") for number in range(20)])  # type: ignore[misc]
    assert sum(outcome is None for outcome in outcomes) == 3
    assert all(isinstance(outcome, LimitReached | None) for outcome in outcomes)


@pytest.mark.case("R8")
def test_twenty_clicks_at_once_make_one_environment_and_one_run(hub: Hub) -> None:
    ada = hub.person("ada")
    outcomes = at_once([lambda: hub.launch(ada) for _ in range(20)])
    assert outcomes == [None] * 20
    hub.start_controller()
    hub.until(ada, hub.environments.of(ada)[0], lambda seen: seen.phase is Phase.RUNNING)
    assert len(hub.environments.of(ada)) == len(hub.spawner.specs) == 1


def test_a_workspace_in_use_is_not_given_to_a_second_environment(hub: Hub) -> None:
    ada = hub.person("ada")
    first = hub.launch(ada, "first")
    with pytest.raises(Conflict, match=r"“first” is using the workspace “first”"):
        hub.launch(ada, "second", workspace_id=first.workspace_id)
    assert [view.name for view in hub.environments.of(ada)] == ["first"]


def test_a_workspace_of_somebody_else_is_as_unknown_as_one_that_is_not_there(hub: Hub) -> None:
    view = hub.launch(hub.person("ada"))
    bob = hub.person("bob")
    refusals = []
    for workspace_id in (view.workspace_id, "0" * 32):
        with pytest.raises(NotFound) as refusal:
            hub.launch(bob, "mine", workspace_id=workspace_id)
        refusals.append(refusal.value.sentence)
    assert refusals[0] == refusals[1]


@pytest.mark.parametrize("act", ["get", "stop", "relaunch", "restart", "log", "story", "delete"])
def test_somebody_elses_environment_is_as_unknown_as_one_that_is_not_there(hub: Hub, act: str) -> None:
    view = hub.launch(hub.person("ada"))
    bob = hub.person("bob")
    refusals = []
    for environment_id in (view.id, "0" * 32):
        with pytest.raises(NotFound) as refusal:
            call(hub, act)(bob, environment_id)
        refusals.append(refusal.value.sentence)
    assert refusals[0] == refusals[1]


def call(hub: Hub, act: str) -> Callable[..., object]:
    if act == "delete":
        return lambda person, environment_id: hub.environments.delete(person, environment_id, "analysis", with_workspace=True)
    method: Callable[..., object] = getattr(hub.environments, act)
    return method


def test_an_administrator_sees_and_stops_everybodys_and_it_is_in_the_story(hub: Hub) -> None:
    ada, root = hub.person("ada"), hub.person("root", Role.ADMINISTRATOR)
    view = hub.launch(ada)
    assert [(seen.owner, seen.name) for seen in hub.environments.search(root, EnvironmentFilter(), everyone=True)[0]] == [
        ("Ada", "analysis")
    ]
    hub.environments.stop(root, view.id)
    assert hub.environments.get(ada, view.id).target is Target.STOPPED
    assert ("Root", "environment stopped") in [(event.actor, event.act) for event in hub.environments.story(ada, view.id)[0]]


def test_an_administrator_does_not_launch_restart_or_delete_for_others(hub: Hub) -> None:
    view, root = hub.launch(hub.person("ada")), hub.person("root", Role.ADMINISTRATOR)
    for act in ("relaunch", "restart", "delete"):
        with pytest.raises(NotFound):
            call(hub, act)(root, view.id)


def test_nobody_else_may_list_everybodys(hub: Hub) -> None:
    with pytest.raises(NotFound):
        hub.environments.search(hub.person("ada"), EnvironmentFilter(), everyone=True)


def test_delete_wants_the_name_typed(hub: Hub) -> None:
    ada = hub.person("ada")
    view = hub.launch(ada)
    with pytest.raises(Invalid, match=r"Type the name “analysis” exactly"):
        hub.environments.delete(ada, view.id, "analysi", with_workspace=True)
    assert hub.environments.get(ada, view.id).target is Target.RUNNING


def test_disabling_somebody_stops_their_environments_in_the_same_transaction(hub: Hub) -> None:
    ada = hub.person("ada")
    view = hub.launch(ada)
    with hub.database.writing("disable") as session:
        hub.environments.stop_all_of(session, ada.user_id)
    assert hub.environments.get(ada, view.id).target is Target.STOPPED


def test_a_slug_is_never_given_twice(hub: Hub) -> None:
    ada = hub.person("ada")
    slugs = set()
    for _ in range(5):
        view = hub.launch(ada)
        slugs.add(view.slug)
        hub.environments.delete(ada, view.id, view.name, with_workspace=False)
        while hub.controller.round():
            continue
    assert len(slugs) == 5
    assert hub.environments.for_routing(slugs) == {}


def at_once(acts: list[Callable[[], object]]) -> list[PodiumError | None]:
    """Run them side by side; what each was refused with, or None."""
    outcomes: list[PodiumError | None] = [None] * len(acts)
    gate = threading.Barrier(len(acts))

    def run(number: int) -> None:
        gate.wait()
        try:
            acts[number]()
        except PodiumError as error:
            outcomes[number] = error

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


def stopped_with_files(hub: Hub) -> tuple[Person, EnvironmentView]:
    """Ada and an environment of hers that has run; the controller runs on."""
    ada = hub.person("ada")
    first = hub.launch(ada, "first")
    hub.start_controller()
    hub.environments.stop(ada, first.id)
    hub.until(ada, first, lambda view: view.phase is Phase.STOPPED)
    return ada, first


def test_files_that_another_environment_has_too_are_not_deleted_with_one(hub: Hub) -> None:
    ada, first = stopped_with_files(hub)
    second = hub.launch(ada, "second", workspace_id=first.workspace_id)
    with pytest.raises(Conflict, match="“second” has the same files"):
        hub.environments.delete(ada, first.id, "first", with_workspace=True)
    hub.environments.delete(ada, first.id, "first", with_workspace=False)
    hub.environments.stop(ada, second.id)
    hub.environments.delete(ada, second.id, "second", with_workspace=True)


def test_files_that_were_taken_while_a_delete_was_under_way_stay(hub: Hub) -> None:
    ada, first = stopped_with_files(hub)
    hub.stop_controller()
    hub.environments.delete(ada, first.id, "first", with_workspace=True)
    hub.launch(ada, "second", workspace_id=first.workspace_id)
    steps.delete(hub.database, first.id)
    assert hub.is_deleted(first)
    assert [view.id for view in hub.workspaces.search(ada)[0]] == [first.workspace_id]

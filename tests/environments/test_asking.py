"""What programs ask for: the same launch twice, and lists by page, filter and order."""

import pytest

from hub.environments.launching import LaunchOrder
from hub.environments.model import Phase, Target
from hub.environments.views import EnvironmentFilter
from hub.errors import Invalid, LimitReached, NotFound
from hub.identity.roles import Role
from tests.support.environment_hub import Hub


def test_a_launch_sent_again_with_its_key_brings_the_same_environment_even_when_it_has_stopped(hub: Hub) -> None:
    hub.start_controller()
    ada, order = hub.person("ada"), LaunchOrder("analysis", "Light")
    first = hub.environments.launch(ada, order, "key-1")
    hub.environments.stop(ada, first.id)
    hub.until(ada, first, lambda seen: seen.phase is Phase.STOPPED)
    again = hub.environments.launch(ada, order, "key-1")
    assert (again.id, again.target) == (first.id, Target.STOPPED)
    assert hub.environments.launch(ada, order, "key-2").target is Target.RUNNING


def test_a_key_belongs_to_one_order_and_one_person(hub: Hub) -> None:
    ada, order = hub.person("ada"), LaunchOrder("analysis", "Light")
    first = hub.environments.launch(ada, order, "key")
    with pytest.raises(Invalid, match="another launch"):
        hub.environments.launch(ada, LaunchOrder("analysis", "Standard"), "key")
    with pytest.raises(Invalid, match="characters"):
        hub.environments.launch(ada, order, "k" * 256)
    assert hub.environments.launch(hub.person("bob"), order, "key").id != first.id


def test_a_key_of_a_launch_that_was_refused_may_be_used_again(hub: Hub) -> None:
    hub.start_controller()
    ada = hub.person("ada")
    first, *_ = [hub.launch(ada, f"run {number}") for number in range(3)]
    order = LaunchOrder("second", "Light")
    with pytest.raises(LimitReached):
        hub.environments.launch(ada, order, "key")
    hub.environments.stop(ada, first.id)
    hub.until(ada, first, lambda seen: seen.phase is Phase.STOPPED)
    assert hub.environments.launch(ada, order, "key").name == "second"


def test_a_key_of_an_environment_that_was_deleted_launches_nothing(hub: Hub) -> None:
    ada, order = hub.person("ada"), LaunchOrder("analysis", "Light")
    first = hub.environments.launch(ada, order, "key")
    hub.environments.delete(ada, first.id, "analysis", with_workspace=False)
    with pytest.raises(NotFound):
        hub.environments.launch(ada, order, "key")


def test_a_list_is_filtered_sorted_and_paged(hub: Hub) -> None:
    hub.start_controller()
    ada, bob = hub.person("ada"), hub.person("bob")
    for name in ("beta", "alpha"):
        view = hub.launch(ada, name)
        hub.environments.stop(ada, view.id)
        hub.until(ada, view, lambda seen: seen.phase is Phase.STOPPED)
    hub.launch(bob, "bob's own")
    search = hub.environments.search
    assert [[view.name for view in search(ada, EnvironmentFilter(), page, 1, "name")[0]] for page in range(3)] == [
        ["alpha"], ["beta"], [],
    ]  # fmt: skip
    assert search(ada, EnvironmentFilter())[1] == 2
    assert [view.name for view in search(ada, EnvironmentFilter(text="ALPH"))[0]] == ["alpha"]
    assert search(ada, EnvironmentFilter(text="%"))[1] == search(ada, EnvironmentFilter(live=True))[1] == 0
    root = hub.person("root", Role.ADMINISTRATOR)
    assert search(root, EnvironmentFilter(text="bob"), everyone=True)[1] == 1
    assert search(root, EnvironmentFilter(phase=Phase.STOPPED), everyone=True)[1] == 2

"""The catalog of presets: what a preset may ask for, and what becomes of it when the catalog changes."""

from pathlib import Path

import pytest

from hub import far_side
from hub.environments.catalog import CUSTOM, Catalog, Custom
from hub.environments.launching import LaunchOrder
from hub.environments.model import Environment
from hub.errors import CannotStart
from hub.settings import Settings
from hub.spawners.placement import Placement
from tests.support.environment_hub import Hub

GPU = """
[[profile]]
name = "GPU"
cpu = 8
memory = "32Gi"
image = "registry.example/cuda:1"
[profile.placement]
resources = { "nvidia.com/gpu" = 2, "nvidia.com/mig-1g.10gb" = 1 }
node_selector = { "nvidia.com/gpu.product" = "NVIDIA-H100" }
tolerations = [{ key = "nvidia.com/gpu", operator = "Exists", effect = "NoSchedule" }]
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "profiles.toml"
    path.write_text(GPU, encoding="utf-8")
    return path


def placement_of(hub: Hub, environment_id: str) -> Placement:
    with hub.database.reading() as session:
        return Placement.model_validate(session.get_one(Environment, environment_id).placement)


def test_a_preset_says_which_devices_it_has_and_where(file: Path) -> None:
    [profile] = Catalog(Settings(spawner="kubernetes", profiles_file=file)).profiles
    assert profile.summary == "8 CPU · 34 GB memory · 11 GB files · 2 GPU · 1 mig-1g.10gb"
    assert Placement.model_validate(profile.placement.stored()) == profile.placement


def test_devices_are_refused_at_start_where_nobody_hands_them_out(file: Path) -> None:
    with pytest.raises(CannotStart, match=r"the preset “GPU” asks for devices, which only SPAWNER=kubernetes hands out"):
        Catalog(Settings(profiles_file=file))


@pytest.mark.case("A9-6")
def test_a_preset_whose_image_is_not_allowed_is_refused_at_start(file: Path) -> None:
    settings = Settings(spawner="kubernetes", profiles_file=file, allowed_images="podium/*, registry.example/podium/*")
    with pytest.raises(CannotStart, match=r"ALLOWED_IMAGES leaves out the image “registry.example/cuda:1”"):
        far_side.connect(settings)


@pytest.mark.parametrize("act", ["relaunch", "restart"])
def test_the_next_run_takes_what_its_preset_names_today_and_keeps_its_numbers(hub: Hub, act: str) -> None:
    ada = hub.person("ada")
    launched = hub.launch(ada)
    if act == "relaunch":
        hub.environments.stop(ada, launched.id)
    placement = Placement(node_selector={"disk": "fast"})
    changed = {"python": Path("/opt/python3.13"), "cpu": 64.0, "placement": placement, "storage": launched.storage * 2}
    catalog = hub.environments.catalog
    catalog.profiles = tuple(profile.model_copy(update=changed) for profile in catalog.profiles)
    getattr(hub.environments, act)(ada, launched.id)
    with hub.database.reading() as session:
        row = session.get_one(Environment, launched.id)
        assert (row.image, row.cpu_limit) == ("/opt/python3.13", launched.cpu)
        assert row.storage == launched.storage * 2
    assert placement_of(hub, launched.id) == placement


def test_a_run_whose_preset_is_gone_stays_as_it_is(hub: Hub) -> None:
    ada = hub.person("ada")
    launched = hub.launch(ada)
    hub.environments.stop(ada, launched.id)
    hub.environments.catalog.profiles = ()
    hub.environments.relaunch(ada, launched.id)
    again = hub.environments.get(ada, launched.id)
    assert (again.profile, again.memory) == (launched.profile, launched.memory)


def test_a_custom_environment_takes_the_image_of_this_version(hub: Hub) -> None:
    ada = hub.person("ada")
    launched = hub.environments.launch(ada, LaunchOrder("x", CUSTOM, Custom(1, 2**30)))
    with hub.database.writing("an older version's") as session:
        session.get_one(Environment, launched.id).image = "podium/environment:0.0.1"
    hub.environments.restart(ada, launched.id)
    with hub.database.reading() as session:
        assert session.get_one(Environment, launched.id).image == hub.environments.catalog.image(None)

"""`compose.yml` as it is read: this version's image, no rights but those that were decided, and nobody holds the engine."""

import re
from pathlib import Path
from typing import Any, cast

import pytest
import yaml  # type: ignore[import-untyped]

from hub import __version__
from hub.settings import ROOT, Settings, load
from hub.spawners.local.launch import options_of

TEXT = (ROOT / "compose.yml").read_text()
GUIDE = (ROOT / "docs" / "operating" / "compose.md").read_text()
NOWHERE = Path("/nowhere/.env")
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(TEXT)["services"]
OURS = sorted(SERVICES.keys() - {"database"})
RIGHTS = {
    "environments": {"CHOWN", "KILL", "SETGID", "SETUID"},
    "backup": {"DAC_OVERRIDE"},
    "restore": {"CHOWN", "DAC_OVERRIDE", "FOWNER"},
}


def test_the_image_is_this_version_s() -> None:
    assert f"podium/machine:{__version__}" in TEXT


@pytest.mark.parametrize("service", OURS)
def test_a_service_has_the_rights_that_were_decided_and_gains_no_others(service: str) -> None:
    told = SERVICES[service]
    assert told["cap_drop"] == ["ALL"]
    assert told["security_opt"] == ["no-new-privileges:true"]
    assert set(told.get("cap_add", [])) == RIGHTS.get(service, set())
    assert (told.get("user") == "0:0") == (service in RIGHTS)


def test_nobody_holds_the_engine_or_the_machine() -> None:
    assert "docker.sock" not in TEXT
    assert not any(
        service.get("privileged") or service.get("network_mode") or service.get("pid") for service in SERVICES.values()
    )


def test_every_setting_that_it_gives_is_one() -> None:
    given = {name for service in SERVICES.values() for name in service.get("environment", {}) if name.startswith("PODIUM_")}
    assert {name.removeprefix("PODIUM_").lower() for name in given} <= Settings.model_fields.keys()


class Reading:
    """Settings that write down which of them are read."""

    def __init__(self) -> None:
        self.read: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        self.read.add(name)
        return getattr(Settings(), name)


def test_the_service_that_runs_environments_is_told_all_that_it_reads_and_nothing_of_the_hub_s() -> None:
    reading = Reading()
    options_of(cast("Settings", reading))
    read = {f"PODIUM_{name.upper()}" for name in reading.read | {"profiles_file"}}
    assert SERVICES["environments"]["environment"].keys() == read
    assert "env_file" not in SERVICES["environments"]


def test_an_empty_value_is_none() -> None:
    passed_on = [name for name, value in SERVICES["environments"]["environment"].items() if value.endswith(":-}")]
    assert load(dict.fromkeys(passed_on, ""), NOWHERE)[0] == load({}, NOWHERE)[0]


def test_presets_and_their_interpreters_are_the_same_for_the_hub() -> None:
    for name in ("PODIUM_PROFILES_FILE", "PODIUM_ENVIRONMENT_PYTHON"):
        assert SERVICES["hub"]["environment"][name] == SERVICES["environments"]["environment"][name]


@pytest.mark.parametrize("file", ["compose.yml", "compose.tls.yml"])
def test_every_variable_is_explained(file: str) -> None:
    [row, more] = [line for line in GUIDE.splitlines() if line.startswith("| `.env`")]
    for name in re.findall(r"(?<!\$)\$\{(\w+)", (ROOT / file).read_text()):
        assert f"`{name}`" in row + more


def test_what_the_other_services_count_on_is_said_here_and_no_podium_env_changes_it() -> None:
    """Compose prefers `environment` to `env_file`."""
    counted_on = {"HOST", "PORT", "DATA_DIR", "RUNTIME_DIR", "DATABASE_URL", "LOCAL_AGENT", "PUBLIC_URL", "BASE_DOMAIN"}
    assert {f"PODIUM_{name}" for name in counted_on} <= SERVICES["hub"]["environment"].keys()

"""`compose.yml` as it is read: this version's image, no rights but those that were decided, and nobody holds the engine."""

from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from hub import __version__
from hub.settings import ROOT, Settings

TEXT = (ROOT / "compose.yml").read_text()
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(TEXT)["services"]
OURS = sorted(SERVICES.keys() - {"database"})
RIGHTS = {
    "environments": {"CHOWN", "KILL", "SETGID", "SETUID"},
    "backup": {"DAC_READ_SEARCH"},
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


def test_what_the_other_services_count_on_is_said_here_and_no_podium_env_changes_it() -> None:
    """Compose prefers `environment` to `env_file`."""
    counted_on = {"HOST", "PORT", "DATA_DIR", "RUNTIME_DIR", "DATABASE_URL", "LOCAL_AGENT", "PUBLIC_URL", "BASE_DOMAIN"}
    assert {f"PODIUM_{name}" for name in counted_on} <= SERVICES["hub"]["environment"].keys()

"""The main job once more, on one Docker host, and what its services are allowed."""

import json

from tests.browser.test_story import large_table, table
from tests.browser.test_story import (
    test_a_person_logs_in_launches_uploads_explores_stops_and_finds_the_files_again as test_the_main_story_by_compose,
)
from tests.compose.installed import Installed
from tests.spawners.far_side import until

__all__ = ["large_table", "table", "test_the_main_story_by_compose"]

ROOTS = {"CHOWN", "KILL", "SETGID", "SETUID"}


def test_one_service_is_root_s_with_four_of_its_rights_and_no_other_has_any(machine: Installed) -> None:
    for service, rights in (("environments", "00000000000000e1"), ("hub", "0" * 16), ("nginx", "0" * 16)):
        status = machine.inside(service, "cat", "/proc/1/status")
        fields = dict(line.split(":", 1) for line in status.splitlines())
        assert fields["CapEff"].strip() == rights
        assert fields["NoNewPrivs"].strip() == "1"
        assert (fields["Uid"].split()[0] == "0") == (service == "environments")
    config = json.loads(machine.compose("config", "--format", "json"))
    roots = {service for service, told in config["services"].items() if told.get("user") == "0:0"}
    assert roots == {"database", "environments"}, "and the database's is that of the override"
    assert set(config["services"]["environments"]["cap_add"]) == ROOTS


def test_environments_are_in_no_network_with_the_database_the_hub_or_nginx(machine: Installed) -> None:
    places: list[tuple[str, int]] = []
    for service, port in (("database", 5432), ("hub", 8501), ("nginx", 8080)):
        places += [(host, port) for host in (service, *machine.addresses(service))]
    reached = f"""
import concurrent.futures, socket
def reaches(place):
    try: socket.create_connection(place, 3); return True
    except OSError: return False
with concurrent.futures.ThreadPoolExecutor(16) as pool: print(sum(pool.map(reaches, {places!r})))
"""
    assert machine.inside("hub", "python", "-c", reached).strip() != "0", "from another service it is reached"
    assert machine.inside("environments", "python", "-c", reached).strip() == "0"


def test_doctor_says_that_environments_are_kept_apart_by_user(machine: Installed) -> None:
    until(lambda: "Environments are kept apart by user" in machine.inside("hub", "python", "-m", "hub", "doctor"), 60)

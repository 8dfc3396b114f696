"""`podium` at a hub somewhere else: log in with a token, launch, follow, read, stop."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.api.conftest import token_of
from tests.identity.conftest import Hub
from tests.support.podium import ROOT

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def podium(tmp_path: Path) -> Run:
    """The command in an empty home, anywhere but in the checkout."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PODIUM_")}
    variables = {**clean, "PYTHONPATH": str(ROOT), "HOME": str(tmp_path), "XDG_CONFIG_HOME": "", "BROWSER": "true"}

    def run(*arguments: str, typed: str = "") -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "hub", *arguments]
        return subprocess.run(
            command, cwd=tmp_path, env=variables, input=typed, capture_output=True, text=True, timeout=60, check=False
        )

    return run


def test_a_person_launches_waits_reads_and_stops_from_a_terminal(hub: Hub, podium: Run, tmp_path: Path) -> None:
    said = podium("login", hub.url, "--token", token_of(hub, "bob"))
    assert (said.returncode, "You are Bob" in said.stdout) == (0, True), said.stderr
    kept = tmp_path / ".config" / "podium" / "login.json"
    assert kept.stat().st_mode & 0o077 == 0
    launched = podium("env", "launch", "from a terminal", "--wait")
    assert launched.returncode == 0, launched.stderr
    assert "from a terminal: running" in launched.stdout
    assert launched.stderr.splitlines()
    listed = json.loads(podium("env", "list", "--json").stdout)
    one = next(found for found in listed if found["name"] == "from a terminal")
    assert one["address"] in podium("env", "open", "from a terminal").stdout
    assert podium("env", "logs", one["id"]).returncode == 0
    assert json.loads(podium("env", "stop", "from a terminal", "--json").stdout)["target"] == "stopped"


def test_a_refusal_is_the_hub_s_own_sentence(hub: Hub, podium: Run) -> None:
    podium("login", hub.url, "--token", token_of(hub, "bob", "environments:read"))
    refused = podium("env", "launch", "one")
    assert (refused.returncode, "environments:write" in refused.stderr) == (1, True)
    assert "Traceback" not in refused.stderr
    missing = podium("env", "stop", "no such one")
    assert (missing.returncode, "podium env list" in missing.stderr) == (1, True)


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "nonsense", "http://\0"])
def test_without_a_hub_or_a_login_it_says_what_to_do(podium: Run, url: str) -> None:
    if "\0" not in url:
        nobody = podium("login", url, "--token", "podium_x")
        assert nobody.returncode == 1
        assert "Traceback" not in nobody.stderr
    stranger = podium("env", "list")
    assert (stranger.returncode, "podium login" in stranger.stderr) == (1, True)


def test_a_wrong_token_is_not_kept(hub: Hub, podium: Run, tmp_path: Path) -> None:
    refused = podium("login", hub.url, typed="podium_wrong\n")
    assert (refused.returncode, "does not count" in refused.stderr) == (1, True), refused.stdout
    assert not (tmp_path / ".config").exists()

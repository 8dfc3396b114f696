"""The commands of an operator: what they print, and that whatever cannot be is one clear sentence and exit code 1."""

import json
import re
import shutil
import socket
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from hub.identity.tokens import digest
from hub.spawners.local.folders import folders_at
from tests.support.ci import absent
from tests.support.podium import Podium


@pytest.fixture
def stopped(tmp_path: Path) -> Podium:
    """An installation that was never started."""
    return Podium(tmp_path, {})


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


def fails(podium: Podium, *command: str) -> str:
    """The one sentence on standard error of a command that must fail."""
    if command == ("up",):
        done = podium.run(*command)
        assert done.returncode == 1, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done.stderr.strip()
    called = podium.call(*command)
    assert called.exit_code == 1, called.output
    return called.stderr.strip()


def test_a_taken_port_ends_up_with_one_sentence(tmp_path: Path, taken_port: int) -> None:
    podium = Podium(tmp_path, {}, port=taken_port)
    assert fails(podium, "up") == f"Port {taken_port} is taken by another program. End it, or choose another port with PORT."


def test_an_unwritable_data_folder_ends_up_with_one_sentence(tmp_path: Path) -> None:
    podium = Podium(tmp_path, {"PODIUM_DATA_DIR": "/proc/podium"})
    assert "The data folder /proc/podium cannot be written" in fails(podium, "up")


def test_a_weak_secret_and_an_unknown_setting_are_both_named(tmp_path: Path) -> None:
    podium = Podium(tmp_path, {"PODIUM_SECRET_KEY": "changeme", "PODIUM_COLOUR": "blue"})
    said = fails(podium, "up")
    assert "SECRET_KEY: needs at least 32 characters" in said
    assert "PODIUM_COLOUR in the process environment is not a setting" in said


def test_a_database_that_is_none_ends_up_with_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "podium.db").write_bytes(b"something else entirely, and long enough to be looked at" * 50)
    assert "The database cannot be used" in fails(Podium(tmp_path, {}), "up")


def test_a_database_server_that_is_not_there_ends_up_with_one_sentence(tmp_path: Path) -> None:
    podium = Podium(tmp_path, {"PODIUM_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing"})
    assert "The database cannot be used" in fails(podium, "up")


def test_another_secret_than_the_keys_were_sealed_with_ends_up_with_one_sentence(stopped: Podium) -> None:
    assert stopped.call("migrate").exit_code == 0
    stopped.variables["PODIUM_SECRET_KEY"] = "0123456789abcdef0123456789abcdef"
    assert "SECRET_KEY" in fails(stopped, "migrate")


def test_a_secret_that_was_lost_is_named_and_no_new_one_is_made(stopped: Podium) -> None:
    assert stopped.call("migrate").exit_code == 0
    secret = stopped.folder / "data" / "master.secret"
    secret.unlink()
    for command in ("migrate", "up"):
        assert f"The file {secret} is missing" in fails(stopped, command)
    assert not secret.exists()


def test_a_locked_database_ends_up_with_one_sentence(stopped: Podium) -> None:
    assert stopped.call("migrate").exit_code == 0
    with closing(sqlite3.connect(stopped.folder / "data" / "podium.db")) as other:
        other.execute("PRAGMA user_version=1")
        other.execute("BEGIN EXCLUSIVE")
        other.execute("UPDATE schema_info SET number = number")
        assert "The database does not answer" in fails(stopped, "user", "add", "ada")


def test_a_schema_of_a_newer_version_that_excludes_this_one_ends_up_with_one_sentence(stopped: Podium) -> None:
    assert stopped.call("migrate").exit_code == 0
    with closing(sqlite3.connect(stopped.folder / "data" / "podium.db")) as database, database:
        database.execute("UPDATE schema_info SET number = 99, readable_by = 98")
    assert "The database has schema 99, which this version" in fails(stopped, "up")


def test_a_catalog_with_a_fault_ends_up_with_one_sentence(stopped: Podium, tmp_path: Path) -> None:
    (tmp_path / "profiles.toml").write_text('[[profile]]\nname = "Light"\ncpu = -1\nmemory = "2Gi"\n')
    stopped.variables["PODIUM_PROFILES_FILE"] = str(tmp_path / "profiles.toml")
    assert "The catalog of presets has a fault" in fails(stopped, "up")


def test_a_provider_with_a_fault_ends_up_with_all_of_them_named(stopped: Podium, tmp_path: Path) -> None:
    file = tmp_path / "providers.toml"
    file.write_text('[[provider]]\nname = "X"\nlabel = "X"\nissuer = "http://idp.example"\nclient_id = "p"\ncolour = "red"\n')
    stopped.variables["PODIUM_PROVIDERS_FILE"] = str(file)
    said = fails(stopped, "up")
    for words in ("name: ", "issuer: ", "colour: "):
        assert words in said


def test_a_rotation_makes_a_key_that_is_used_from_then_on(stopped: Podium) -> None:
    first, second = (stopped.call("keys", "rotate").stdout.split()[8] for _ in range(2))
    assert first != second


def test_users_are_added_listed_disabled_and_enabled(stopped: Podium) -> None:
    link = stopped.call("user", "add", "ada", "--display-name", "Ada Lovelace").stdout.split()[-1]
    assert "/set-password?link=" in link
    assert stopped.call("user", "disable", "ada").exit_code == 0
    listed = stopped.call("user", "list").stdout
    assert "Ada Lovelace" in listed
    assert "disabled" in listed
    assert stopped.call("user", "enable", "ada").exit_code == 0
    assert "disabled" not in stopped.call("user", "list").stdout
    assert stopped.call("user", "passwd", "ada").stdout.split()[-1] != link


def test_tokens_are_made_listed_and_revoked(stopped: Podium) -> None:
    stopped.call("user", "add", "ada")
    made = json.loads(stopped.call("token", "create", "ada", "--title", "nightly", "--json").stdout)
    assert made["token"].startswith("podium_")
    assert made["id"] in stopped.call("token", "list", "ada").stdout
    assert stopped.call("token", "revoke", "ada", made["id"]).exit_code == 0
    assert json.loads(stopped.call("token", "list", "ada", "--json").stdout) == []
    refused = stopped.call("token", "create", "ada", "--scope", "admin:users:read")
    assert refused.exit_code == 1
    assert "admin:users:read" in refused.stderr


@pytest.mark.parametrize("name", ["", " ", "a\nb", "x" * 300, "../etc", "<script>"])
def test_a_user_name_that_cannot_be_is_refused_in_a_sentence(stopped: Podium, name: str) -> None:
    assert fails(stopped, "user", "add", name)


def test_a_user_that_is_there_or_is_not_there_is_a_sentence(stopped: Podium) -> None:
    stopped.add_user("ada")
    assert fails(stopped, "user", "add", "ada")
    assert "no user of that name" in fails(stopped, "user", "disable", "bob")


def test_status_and_down_say_what_is_where_nothing_runs(stopped: Podium) -> None:
    assert "No hub runs" in stopped.run("status").stdout
    assert "Podium has ended" in stopped.run("down").stdout


def test_doctor_finds_a_good_installation_good_and_names_what_is_not(stopped: Podium) -> None:
    good = stopped.run("doctor")
    assert good.returncode == 0, good.stdout
    assert "FIX" not in good.stdout
    stopped.variables["PODIUM_ENVIRONMENT_PYTHON"] = "/nowhere/python"
    bad = stopped.run("doctor")
    assert bad.returncode == 1
    assert "FIX  /nowhere/python cannot be started: No such file or directory. Run: make up" in bad.stdout


def test_doctor_looks_and_makes_nothing(stopped: Podium) -> None:
    data = stopped.folder / "data"
    said = stopped.call("doctor").stdout
    assert "ok   The agent that runs environments is not running; `make up` starts it." in said
    assert "being tried" not in said
    assert not data.exists()
    assert not folders_at(data).runtime.exists()


def test_doctor_does_not_say_that_nothing_runs_where_an_agent_of_another_account_may(stopped: Podium) -> None:
    data = stopped.folder / "data"
    data.mkdir()
    data.chmod(0o755)
    assert "FIX" not in stopped.call("doctor").stdout, "the first start closes it to others"
    (data / "agent.secret").write_text("of an agent")
    assert "FIX  The folder" in stopped.call("doctor").stdout


@pytest.fixture
def shared(stopped: Podium) -> Iterator[Path]:
    """The folder that a hub shares with a service of its own that runs environments."""
    stopped.variables["PODIUM_LOCAL_AGENT"] = "elsewhere"
    folder = folders_at(stopped.folder / "data").runtime
    folder.mkdir(mode=0o700)
    yield folder
    shutil.rmtree(folder)


def test_doctor_says_how_to_start_the_service_that_runs_environments(stopped: Podium, shared: Path) -> None:
    began_never = stopped.call("doctor")
    assert "FIX  The service that runs environments has not begun" in began_never.stdout
    assert "docker compose logs environments" in began_never.stdout
    (shared / "secret").write_text("of a service that has ended")
    ended = stopped.call("doctor")
    assert began_never.exit_code == ended.exit_code == 1
    assert "FIX  The service that runs environments does not answer. Start it: docker compose up --detach environments" in (
        ended.stdout
    )
    for said in (began_never.stdout, ended.stdout):
        assert "`make up` starts it" not in said
        assert "limits are held" not in said, "those of the hub's own container are others"


def test_the_nginx_configuration_is_one_that_nginx_takes(stopped: Podium, tmp_path: Path) -> None:
    program = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")
    if program is None:
        absent("NGINX is not installed; on Debian: apt-get install nginx-light")
    stopped.variables |= {"PODIUM_PUBLIC_URL": "http://localhost:8080"}
    stopped.port = 8501
    printed = stopped.run("nginx", "--folder", str(tmp_path / "nginx"), "--listen", "127.0.0.1:8080")
    assert printed.returncode == 0, printed.stderr
    (tmp_path / "nginx.conf").write_text(printed.stdout)
    checked = subprocess.run([program, "-t", "-q", "-c", tmp_path / "nginx.conf"], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr


def test_a_further_cluster_gets_a_configuration_whose_credential_the_hub_takes_until_the_cluster_is_named_no_more(
    stopped: Podium, tmp_path: Path
) -> None:
    clusters = tmp_path / "clusters"
    clusters.mkdir()
    told = clusters / "gpu-centre.toml"
    told.write_text('name = "GPU centre"\nkubeconfig = "none"\nenvironments_domain = "gpu.example.net"\n')
    stopped.variables |= {"PODIUM_PUBLIC_URL": "https://hub.example.org", "PODIUM_CLUSTER_CONFIG_PATH": str(clusters)}
    assert stopped.call("user", "add", "ada").exit_code == 0
    printed = stopped.call("nginx", "--folder", "/run/podium", "--cluster", "gpu-centre")
    assert printed.exit_code == 0, printed.stderr
    credential = re.search(r"Bearer ([0-9a-f]{64})", printed.stdout)
    assert credential
    assert "server hub.example.org:443" in printed.stdout
    assert row_of(stopped, "gpu-centre") == ("gpu.example.net", digest(credential[1]))
    told.unlink()
    assert stopped.call("user", "add", "ben").exit_code == 0
    assert row_of(stopped, "gpu-centre") == ("gpu.example.net", "")
    assert "no file gpu-centre.toml" in fails(stopped, "nginx", "--folder", "/run/podium", "--cluster", "gpu-centre")


def row_of(podium: Podium, cluster: str) -> tuple[str, str]:
    """The domain, and the hash of the credential."""
    with closing(sqlite3.connect(podium.folder / "data" / "podium.db")) as database:
        found: tuple[str, str] = database.execute(
            "SELECT environments_domain, credential_hash FROM cluster WHERE id = ?", (cluster,)
        ).fetchone()
    return found

"""Backup and restore of the whole, and TLS with a certificate of one's own."""

import contextlib
import os
import re
import ssl
from functools import partial
from pathlib import Path

import httpx

from tests.compose.installed import Installed, installed
from tests.compose.test_restarts import NOTES, opens
from tests.spawners.far_side import until
from tests.support.certificate import certified
from tests.support.files_page import FilesPage


def a_person_s(folder: Path) -> Path:
    """Made by hand, as for a restore on a bare machine: root owns a folder that Docker makes."""
    folder.mkdir(mode=0o755)
    os.chown(folder, os.geteuid() or 1000, -1)
    return folder


def test_what_was_destroyed_comes_back_from_a_backup(tmp_path: Path) -> None:
    backups = a_person_s(tmp_path / "backups")
    with installed(tmp_path) as machine:
        house = machine.house()
        ada = house.newcomer()
        host, cookie = ada.launched("Precious")
        with ada.page(host, cookie) as tab:
            FilesPage(tab, partial(ada.ask, host=host, cookie=cookie)).upload("notes.csv", NOTES)
        said = machine.compose("run", "--rm", "--no-TTY", "backup")
        file = re.findall(r"backups/(podium-\S+\.tar)", said)[-1]
        assert [path.name for path in backups.iterdir()] == [file]
        house.database.close()
        refused = machine.attempt("run", "--rm", "--no-TTY", "restore", file)
        assert refused.returncode != 0
        assert "Podium is running" in refused.stderr
        machine.compose("down", "--volumes", "--timeout", "5")
        assert "Start Podium" in machine.compose("run", "--rm", "--no-TTY", "restore", file)
        assert "Start Podium" in machine.compose("run", "--rm", "--no-TTY", "restore", file), "it may be repeated"
        machine.up()
        house = machine.house()
        ada.house = house
        until(lambda: opens(ada, host, cookie), 120)
        with ada.page(host, cookie) as tab:
            assert FilesPage(tab, partial(ada.ask, host=host, cookie=cookie)).download("notes.csv") == NOTES
        house.database.close()


def answers(client: httpx.Client, path: str) -> bool:
    """Whether somebody is there: the engine takes connections before NGINX does."""
    with contextlib.suppress(httpx.TransportError):
        return client.get(path).status_code == 200
    return False


def test_a_restore_of_nothing_or_of_something_else_changes_nothing(machine: Installed) -> None:
    until(lambda: "being tried" not in machine.inside("hub", "python", "-m", "hub", "doctor"), 60)
    before = kept(machine)
    for wrong in ((), ("absent.tar",), ("../etc/passwd",)):
        assert machine.attempt("run", "--rm", "--no-TTY", "restore", *wrong).returncode != 0
    assert kept(machine) == before
    assert {"/podium/hub/data/hub.lock", "/podium/workspaces/data/agent.lock"} <= before


def test_a_backup_that_fails_leaves_nothing(machine: Installed) -> None:
    in_the_middle = ("--env", "TAR_OPTIONS=--use-compress-program=false")
    failed = machine.attempt("run", "--rm", "--no-TTY", *in_the_middle, "backup")
    assert failed.returncode != 0
    assert "tar: " in failed.stderr
    assert not list((machine.folder / "backups").iterdir())


def kept(machine: Installed) -> set[str]:
    """All that a restore replaces, as its service sees it."""
    find = ("--entrypoint", "find", "restore", "/podium/hub", "/podium/workspaces")
    return set(machine.compose("run", "--rm", "--no-TTY", *find).splitlines())


def test_with_a_certificate_of_one_s_own_everything_goes_over_tls_and_a_proxy_in_front_names_visitors(tmp_path: Path) -> None:
    (tmp_path / "tls").mkdir()
    certificate, key = certified(tmp_path / "tls", "localhost")
    certificate.rename(tmp_path / "tls" / "certificate.pem")
    key.rename(tmp_path / "tls" / "key.pem").chmod(0o644)
    (tmp_path / "tls").chmod(0o755)
    files = ("compose.yml", "compose.tls.yml", "override.yml")
    with installed(tmp_path, files=files, scheme="https", variables={"TRUSTED_PROXY": "0.0.0.0/0"}) as machine:
        context = ssl.create_default_context(cafile=tmp_path / "tls" / "certificate.pem")
        with httpx.Client(base_url=machine.url, verify=context, trust_env=False) as client:
            until(lambda: answers(client, "/login"), 60)
            assert client.get("/login", headers={"X-Forwarded-For": "203.0.113.7"}).status_code == 200
        assert "203.0.113.7 " in machine.compose("logs", "nginx")
        with httpx.Client(trust_env=False) as client:
            for port in (machine.port, machine.plain_port):
                sent = client.get(f"http://localhost:{port}/login?next=/account")
                assert sent.headers["Location"] == f"{machine.url}/login?next=/account"

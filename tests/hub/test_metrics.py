"""`/metrics` answers Prometheus, and to everybody else it does not exist."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.identity.conftest import Hub, register, served

TOKEN = "a token of more than sixteen characters"
NAMES = {
    "cmbcluster_active_users", "cmbcluster_pods_created_total", "cmbcluster_authentication_requests_total",
    "cmbcluster_cpu_usage", "cmbcluster_memory_usage", "cmbcluster_storage_usage", "podium_environments",
    "podium_cluster_silent_seconds",
}  # fmt: skip


@pytest.fixture(scope="module")
def measured(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    with served(tmp_path_factory.mktemp("metrics"), sqlite_template, metrics_token=TOKEN) as hub:
        yield hub


def ask(hub: Hub, token: str | None) -> httpx.Response:
    headers = {"authorization": f"Bearer {token}"} if token is not None else {}
    return httpx.get(f"http://127.0.0.1:{hub.port}/metrics", headers=headers)


def test_who_knows_the_token_reads_podiums_figures_and_those_of_before(measured: Hub) -> None:
    register(measured.identity, "grace")
    measured.log_in("grace")
    answer = ask(measured, TOKEN)
    assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (200, "text/plain")
    described = set(re.findall(r"^# HELP (\S+)", answer.text, re.MULTILINE))
    assert described >= NAMES
    assert re.search(r"^cmbcluster_active_users 1(\.0)?$", answer.text, re.MULTILINE)
    assert re.search(r"^cmbcluster_authentication_requests_total 1(\.0)?$", answer.text, re.MULTILINE)


@pytest.mark.parametrize("token", [None, "another", TOKEN + "x", TOKEN[:-1], "é" * 20])
def test_to_everybody_else_it_does_not_exist(measured: Hub, token: str | None) -> None:
    headers = {} if token is None else {"authorization": f"Bearer {token}".encode()}
    answer = httpx.get(f"http://127.0.0.1:{measured.port}/metrics", headers=headers)  # type: ignore[arg-type]
    assert answer.status_code == 404
    assert "podium" not in answer.text


def test_without_a_token_there_is_no_such_page(sqlite_template: Path, tmp_path: Path) -> None:
    with served(tmp_path, sqlite_template) as hub:
        assert ask(hub, None).status_code == 404
        assert ask(hub, "None").status_code == 404

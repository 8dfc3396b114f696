"""The tests' own support does what it promises: it catches what a test leaves behind, and CI passes over nothing."""

import subprocess
import sys
from pathlib import Path

import pytest
from sqlmodel import select

from hub.clusters.model import Cluster
from hub.database import Database

ROOT = Path(__file__).resolve().parents[2]

LEAVES_A_CHILD = """
import subprocess, sys
def test_it(tmp_path):
    global process
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
"""
LEAVES_A_DETACHED_PROCESS = """
import os, subprocess, sys
def test_it(tmp_path):
    command = f"[sys.executable, '-c', 'import time; time.sleep(60)', {str(tmp_path)!r}]"
    script = f"import subprocess, sys; subprocess.Popen({command}, start_new_session=True)"
    subprocess.run([sys.executable, "-c", script], check=True)
"""
LEAVES_A_PORT = """
import socket
def test_it():
    global listener
    listener = socket.create_server(("127.0.0.1", 0))
"""
LEAVES_A_TASK = """
import asyncio
async def main():
    global task
    task = asyncio.create_task(asyncio.sleep(60), name="forgotten")
def test_it():
    asyncio.run(main())
"""
SKIPS = "import pytest\ndef test_fine(): pass\ndef test_it(): pytest.skip('no reason')\n"
FINE = "def test_fine(): pass\ndef test_other(): pass\n"


def run(tmp_path: Path, source: str, *options: str, ci: bool = False) -> subprocess.CompletedProcess[str]:
    test = tmp_path / "test_inner.py"
    test.write_text(source)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "tests.support.ci",
        "-p",
        "tests.support.leaks",
        "-c",
        str(ROOT / "pyproject.toml"),
    ]
    command += ["--rootdir", str(tmp_path), "--basetemp", str(tmp_path / "base"), "-p", "no:cacheprovider", *options, str(test)]
    variables = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "CI": "true" if ci else ""}
    return subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("source", "word"),
    [
        (LEAVES_A_CHILD, "left behind: process"),
        (LEAVES_A_DETACHED_PROCESS, "left behind: process"),
        (LEAVES_A_PORT, "left behind: port"),
        (LEAVES_A_TASK, "left behind: asyncio task forgotten"),
    ],
)
def test_a_test_that_leaves_something_behind_fails(tmp_path: Path, source: str, word: str) -> None:
    result = run(tmp_path, source)
    assert result.returncode == 1, result.stdout
    assert word in result.stdout


@pytest.mark.parametrize("options", [(), ("-n", "2")])
def test_a_skipped_test_fails_the_run_in_ci_and_only_there(tmp_path: Path, options: tuple[str, ...]) -> None:
    assert run(tmp_path, SKIPS, *options).returncode == 0
    result = run(tmp_path, SKIPS, *options, ci=True)
    assert result.returncode == 1
    assert "1 passed, 0 failed, 1 skipped" in result.stdout


@pytest.mark.parametrize("options", [(), ("-n", "2")])
def test_a_deselected_test_fails_the_run_in_ci_and_only_there(tmp_path: Path, options: tuple[str, ...]) -> None:
    chosen = ("-k", "fine", *options)
    assert run(tmp_path, FINE, *chosen).returncode == 0
    result = run(tmp_path, FINE, *chosen, ci=True)
    assert result.returncode == 1
    assert "1 deselected" in result.stdout


def test_every_test_has_a_database_of_its_own_with_the_migrated_schema(database: Database) -> None:
    with database.reading() as session:
        assert session.exec(select(Cluster)).all() is not None

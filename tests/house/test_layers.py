"""The layers of the house are a checked file, `.importlinter`; here is shown that it holds and that it would notice."""

import configparser
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hub.settings import ROOT

CONFIG = ROOT / ".importlinter"


def lint(root: Path) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-logo", "--no-cache", "--config", str(CONFIG)]
    variables = {"PATH": os.environ["PATH"], "PYTHONPATH": "user-environment", "COLUMNS": "200"}
    return subprocess.run(command, cwd=root, env=variables, capture_output=True, text=True, check=False)


def listed(contract: str) -> set[str]:
    config = configparser.ConfigParser()
    config.read(CONFIG)
    return set(config[f"importlinter:contract:{contract}"]["source_modules"].split())


def test_the_layers_hold() -> None:
    result = lint(ROOT)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(
    ("file", "line", "contract"),
    [
        ("pages/wrong.py", "import sqlmodel", "hold no SQL"),
        ("hub/ui.py", "from hub.database import Database", "hold no SQL"),
        ("pages/wrong.py", "import hub.spawners.base", "through services only"),
        ("hub/identity/wrong.py", "import streamlit", "import Streamlit"),
        ("hub/environments/wrong.py", "import kubernetes", "import kubernetes"),
        ("hub/routing/wrong.py", "import pages.environments", "know nothing of pages"),
        ("hub/spawners/base.py", "import hub.environments.model", "Spawners know nothing"),
        ("hub/errors.py", "import hub.database", "The foundation"),
        ("user-environment/environment/wrong.py", "import hub.clock", "nothing of the hub"),
        ("hub/workspaces/wrong.py", "from hub.identity.model import Login", "tables of identity"),
    ],
)
def test_a_line_that_crosses_a_layer_is_noticed(tmp_path: Path, file: str, line: str, contract: str) -> None:
    for folder in ("hub", "pages", "user-environment/environment"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__", ".venv"))
    with (tmp_path / file).open("a") as source:
        source.write(f"\n{line}\n")
    result = lint(tmp_path)
    assert result.returncode == 1
    broken = [text for text in result.stdout.splitlines() if text.rstrip().endswith("BROKEN")]
    assert any(contract in text for text in broken), result.stdout


def test_every_script_of_the_user_interface_and_every_capability_is_under_a_contract() -> None:
    interface = {f"hub.{path.stem}" for path in (ROOT / "hub").glob("ui*.py")}
    capabilities = {f"hub.{path.parent.name}" for path in (ROOT / "hub").glob("*/model.py")} | {"hub.spawners"}
    assert interface <= listed("pages-hold-no-sql") & listed("pages-start-no-process")
    assert capabilities <= listed("below-pages") & listed("streamlit")

"""Switching a guard off changes exactly that guard."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from hub.settings import ROOT
from tests.guards.disable import CannotDisableError, disable, ways
from tests.guards.run import guards

PYTHON = '''"""A module."""

LIMIT = (
    10
)


class Checks:
    @property
    def allowed(self) -> bool:
        """Whether."""
        return self.x == 1

    def refuse(self, name: str) -> None:
        if name:
            raise ValueError(name)


def after() -> int:
    return 1
'''
NGINX = "server {\n    underscores_in_headers off;\n    proxy_set_header Host $http_host;\n    proxy_set_header X-A b;\n}\n"
TOML = '[server]\nenableCORS = true\nname = "x"\n'


def without(tmp_path: Path, file: str, source: str, name: str, **way: Any) -> str:
    (tmp_path / file).write_text(source)
    disable(tmp_path, f"{file}:{name}", way)
    return (tmp_path / file).read_text()


def test_a_function_gets_a_body_that_lets_everything_pass(tmp_path: Path) -> None:
    changed = without(tmp_path, "a.py", PYTHON, "Checks.allowed", body="return True")
    assert changed == PYTHON.replace('        """Whether."""\n        return self.x == 1\n', "        return True\n")


def test_a_function_that_returns_nothing_then_does_nothing(tmp_path: Path) -> None:
    changed = without(tmp_path, "a.py", PYTHON, "Checks.refuse")
    assert changed == PYTHON.replace("        if name:\n            raise ValueError(name)\n", "        return None\n")


def test_a_constant_gets_another_value(tmp_path: Path) -> None:
    assert "LIMIT = (\n    99\n)" in without(tmp_path, "a.py", PYTHON, "LIMIT", value="99")


def test_a_directive_is_dropped_and_its_neighbours_stay(tmp_path: Path) -> None:
    changed = without(tmp_path, "n.conf", NGINX, "proxy_set_header Host")
    assert changed == NGINX.replace("    proxy_set_header Host $http_host;\n", "")


def test_a_setting_is_flipped(tmp_path: Path) -> None:
    assert without(tmp_path, "c.toml", TOML, "server.enableCORS") == TOML.replace("true", "false")


def test_a_piece_of_text_is_replaced(tmp_path: Path) -> None:
    assert "self.x == 2" in without(tmp_path, "a.py", PYTHON, "Checks.allowed", replace="self.x == 1", by="self.x == 2")


@pytest.mark.parametrize("name", ["Checks.allowed", "LIMIT", "missing", "Checks"])
def test_what_nobody_has_explained_is_not_guessed(tmp_path: Path, name: str) -> None:
    with pytest.raises(CannotDisableError):
        without(tmp_path, "a.py", PYTHON, name)


def test_every_entry_of_the_table_belongs_to_a_guard() -> None:
    assert set(ways()) <= {guard.name for guard in guards()}


@pytest.mark.parametrize("name", sorted({guard.name for guard in guards()}))
def test_every_guard_that_the_table_names_can_be_switched_off(tmp_path: Path, name: str) -> None:
    file = tmp_path / name.partition(":")[0]
    file.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(ROOT / name.partition(":")[0], file)
    disable(tmp_path, name, ways().get(name, {}))
    assert file.read_text() != (ROOT / name.partition(":")[0]).read_text()

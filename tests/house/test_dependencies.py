"""Every dependency has its reason, a pin with a hash, and no version with a known hole."""

import re
import tomllib
from pathlib import Path

import pytest

from hub.settings import ROOT

LOCKS = [ROOT / "requirements.txt", ROOT / "tests" / "requirements.txt", ROOT / "user-environment" / "requirements.txt"]
FLOORS = {"starlette": (1, 3, 1), "streamlit": (1, 61), "uvicorn": (0, 52), "pyjwt": (2, 15), "authlib": (1, 9)}


def name_of(requirement: str) -> str:
    return re.split(r"[\[<>=~! ;]", requirement.strip())[0].lower().replace("_", "-")


def direct() -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    environment = (ROOT / "user-environment" / "requirements.in").read_text(encoding="utf-8").splitlines()
    named = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    return {name_of(line) for line in [*named, *environment] if line and not line.startswith("#")}


def pins(lock: Path) -> dict[str, tuple[int, ...]]:
    found = re.findall(r"^([a-z0-9._-]+)==([0-9.]+)", lock.read_text(encoding="utf-8"), re.MULTILINE)
    return {name: tuple(int(part) for part in version.split(".") if part) for name, version in found}


def test_every_direct_dependency_has_one_sentence_of_reason_and_nothing_else_has() -> None:
    page = (ROOT / "docs" / "decisions" / "dependencies.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([^`]+)` \| ([^|]+) \|$", page, re.MULTILINE)
    assert {name_of(name) for name, _ in rows} == direct()
    assert all(reason.strip().endswith(".") for _, reason in rows)


@pytest.mark.case("CVE-2026-10804")
@pytest.mark.case("CVE-2025-62727")
@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: str(lock.relative_to(ROOT)))
def test_no_pin_is_below_a_version_that_closed_a_hole(lock: Path) -> None:
    low = {name: version for name, version in pins(lock).items() if version < FLOORS.get(name, ())}
    assert not low


def test_the_floors_stand_in_the_declared_requirements_too() -> None:
    declared = (ROOT / "pyproject.toml").read_text(encoding="utf-8") + (
        ROOT / "user-environment" / "requirements.in"
    ).read_text(encoding="utf-8")
    for name in direct() & FLOORS.keys():
        for version in re.findall(rf"^\W*{name}(?:\[\w+\])?>=([0-9.]+)", declared, re.MULTILINE):
            assert tuple(int(part) for part in version.split(".")) >= FLOORS[name]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: str(lock.relative_to(ROOT)))
def test_every_pin_carries_hashes_and_no_lock_names_a_registry(lock: Path) -> None:
    text = lock.read_text(encoding="utf-8")
    for block in re.split(r"\n(?=[a-z0-9])", text):
        assert re.match(r"[a-z0-9._-]+==", block)
        assert "--hash=sha256:" in block
    assert "://" not in text
    assert "--index" not in text

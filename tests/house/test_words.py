"""The repository speaks of itself only: no machine's paths, no registry of somebody, no number of an issue."""

import re
import subprocess

import pytest

from hub.settings import ROOT
from tests.support.ci import absent

FORBIDDEN = {
    "a path of one machine": re.compile(rf"(?<![\w.>}}])/(?:root|Users|work)/[\w.-]+|{re.escape(str(ROOT))}\b"),
    "a package registry": re.compile(
        r"(?:extra-)?index-url\s*=|--(?:extra-)?index-url\b|find-links\s*=|trusted-host", re.IGNORECASE
    ),
    "an address of an inner network": re.compile(r"://[\w.-]+\.(?:internal|corp|lan|intranet)\b"),
    "the number of an issue": re.compile(r"\b(?:issues?|ticket|pull request|PR|closes|fixes)\s+#?\d+\b", re.IGNORECASE),
    "a note to do something later": re.compile(r"\b(?:TODO|FIXME|XXX|HACK)\b"),
}
TEXT = {".py", ".md", ".toml", ".txt", ".in", ".js", ".css", ".html", ".svg", ".conf", ".cfg", ".ini", ".mako", ".example", ""}
THIS = "tests/house/test_words.py"


def files() -> list[str]:
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    if listed.returncode:
        absent("This is no git checkout of this user, so its files are not known")
    return [name for name in listed.stdout.splitlines() if (ROOT / name).is_file() and name != THIS]


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_file_names(what: str) -> None:
    found = [
        f"{name}:{number}: {line.strip()[:100]}"
        for name in files()
        if (ROOT / name).suffix in TEXT
        for number, line in enumerate((ROOT / name).read_text(encoding="utf-8").splitlines(), 1)
        if FORBIDDEN[what].search(line)
    ]
    assert not found, "\n".join(found)


def test_no_file_is_called_utils_and_none_is_longer_than_400_lines() -> None:
    sources = [name for name in files() if name.endswith(".py")]
    assert not [name for name in sources if re.search(r"/(utils|helpers|misc|common)\.py$", name)]
    long = {name: count for name in sources if (count := len((ROOT / name).read_text(encoding="utf-8").splitlines())) > 400}
    assert not long

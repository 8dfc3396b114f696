"""`make test-guards`: is each guard of `docs/security/cases.md` really what its test relies on?

A test that stays green without the guard shows nothing. First the tests of all rows must pass. Then, for each guard, the tree
is copied, the guard is switched off in the copy, and the tests of its row must fail there.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hub.settings import ROOT
from tests.guards.disable import CannotDisableError, disable, ways
from tests.house.cases import cases

SECONDS = 600
"""A run that takes longer has neither passed nor failed."""

FAILED = 1
"""pytest's exit code where tests ran and at least one failed; others mean that they could not run."""

PYTEST = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "--no-header"]
SLOW = ("tests/faults/", "tests/browser/")
CLUSTER = "tests/cluster/"
"""Without one these would fail with any guard."""


@dataclass(frozen=True)
class Guard:
    case: str
    name: str
    tests: tuple[str, ...]


@dataclass(frozen=True)
class Verdict:
    guard: Guard
    caught: bool
    words: str


def guards() -> list[Guard]:
    """All guards, a row with several guards once for each."""
    return [
        Guard(case.id, name, tuple(test for test in case.tests if not test.startswith(CLUSTER)))
        for case in cases()
        for name in case.guards
        if ":" in name
    ]


@contextmanager
def copied() -> Iterator[Path]:
    """A copy of the tree, without what git ignores, that uses the same installed packages."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"], cwd=ROOT, check=True, capture_output=True
    )
    with tempfile.TemporaryDirectory(prefix="podium-guards-") as folder:
        root = Path(folder)
        for name in filter(None, listed.stdout.decode().split("\0")):
            if (ROOT / name).is_file():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, root / name)
        for installed in (".venv", "user-environment/.venv", "node_modules"):
            if (ROOT / installed).exists():
                (root / installed).symlink_to(ROOT / installed)
        yield root


def run_tests(root: Path, guard: Guard) -> int | None:
    """pytest's exit code, or None where it took too long. The quick tests come first, and the first failure ends it."""
    tests = sorted(guard.tests, key=lambda test: test.startswith(SLOW))
    command = [*PYTEST, "-p", "tests.guards.only_case", "--case", guard.case, *tests]
    try:
        return subprocess.run(command, cwd=root, capture_output=True, check=False, timeout=SECONDS).returncode
    except subprocess.TimeoutExpired:
        return None


def pass_unchanged(chosen: list[Guard], jobs: int) -> bool:
    """Whether the quick tests of these rows pass while all guards are on. `make test` and `make test-crash` run the others."""
    tests = dict.fromkeys(test for guard in chosen for test in guard.tests if not test.startswith(SLOW))
    command = [*PYTEST, "-n", str(jobs), "--dist", "loadfile", *tests]
    return not tests or subprocess.run(command, cwd=ROOT, check=False).returncode == 0


def judge(guard: Guard) -> Verdict:
    """Switch the guard off and look whether its tests notice."""
    with copied() as root:
        try:
            disable(root, guard.name, ways().get(guard.name, {}))
        except CannotDisableError as error:
            return Verdict(guard, caught=False, words=str(error))
        code = run_tests(root, guard)
    words = {0: "its tests pass without it", None: "its tests do not end without it"}
    return Verdict(
        guard, caught=code == FAILED, words="" if code == FAILED else words.get(code, "its tests cannot run without it")
    )


def main() -> int:
    """Judge all guards, or those whose case or name contains the words given; 1 where one was not caught."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("words", nargs="*")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    given = parser.parse_args()
    chosen = [
        guard for guard in guards() if not given.words or any(word in f"{guard.case} {guard.name}" for word in given.words)
    ]
    if not pass_unchanged(chosen, given.jobs):
        sys.stdout.write("\nThe tests do not pass with all guards on; see above.\n")
        return 1
    with ThreadPoolExecutor(given.jobs) as pool:
        verdicts = [_told(verdict) for verdict in pool.map(judge, chosen)]
    caught = sum(verdict.caught for verdict in verdicts)
    sys.stdout.write(f"\n{len(verdicts)} guards, {caught} caught, {len(verdicts) - caught} not caught\n")
    return int(caught < len(verdicts) or not verdicts)


def _told(verdict: Verdict) -> Verdict:
    mark = "caught    " if verdict.caught else "NOT CAUGHT"
    sys.stdout.write(f"{mark}  {verdict.guard.case:<20} {verdict.guard.name}  {verdict.words}\n")
    sys.stdout.flush()
    return verdict


if __name__ == "__main__":
    sys.exit(main())

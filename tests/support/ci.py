"""In CI (`CI=true`) nothing is passed over in silence: a skipped, expected-to-fail or deselected test fails the run.

Elsewhere a test may be skipped where the machine lacks a program, with a reason that says how to get it.
"""

import os
from typing import Any, NoReturn

import pytest

PASSED_OVER = ("skipped", "xfailed", "xpassed", "deselected")

_deselected = pytest.StashKey[int]()


def in_ci() -> bool:
    return os.environ.get("CI") == "true"


def absent(what: str) -> NoReturn:
    """The machine lacks something: skip with a visible reason, and in CI fail."""
    if in_ci():
        pytest.fail(f"{what}. In CI this is an error.", pytrace=False)
    pytest.skip(what)


class Counts:
    """Counts what was passed over, in the one process of a plain run or in all of a parallel one."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.config.stash[_deselected] = 0

    def pytest_deselected(self, items: list[pytest.Item]) -> None:
        self.config.stash[_deselected] += len(items)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Every worker deselects the same tests."""
        seen = getattr(node, "workeroutput", {}).get("deselected", 0)
        self.config.stash[_deselected] = max(self.config.stash[_deselected], seen)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if hasattr(self.config, "workeroutput"):
            self.config.workeroutput["deselected"] = self.config.stash[_deselected]
        elif in_ci() and any(self._counts().values()) and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        counts = self._counts()
        passed = len(terminalreporter.stats.get("passed", []))
        failed = sum(len(terminalreporter.stats.get(kind, [])) for kind in ("failed", "error"))
        words = [f"{passed} passed", f"{failed} failed", *(f"{number} {kind}" for kind, number in counts.items())]
        terminalreporter.section("counts")
        terminalreporter.line(", ".join(words))
        if in_ci() and any(counts.values()):
            terminalreporter.line("CI passes over nothing: the run fails.", red=True)

    def _counts(self) -> dict[str, int]:
        reporter = self.config.pluginmanager.getplugin("terminalreporter")
        stats = reporter.stats if reporter else {}
        return {kind: len(stats.get(kind, [])) for kind in PASSED_OVER[:-1]} | {"deselected": self.config.stash[_deselected]}


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Counts(config), "podium-counts")

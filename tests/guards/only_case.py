"""A pytest plugin that keeps the tests of one case: where the mark sits on a row of a parametrised test, that row alone."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--case", required=True, help="the id of docs/security/cases.md")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    case = config.getoption("--case")
    items[:] = [item for item in items if any(case in mark.args for mark in item.iter_markers("case"))]

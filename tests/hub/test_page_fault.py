"""What a page shows when its script fails: never what went wrong inside, always what to do."""

import logging

import pytest
from streamlit.testing.v1 import AppTest

from hub.errors import ClusterSilent, Invalid


def shown(fault: str) -> AppTest:
    def script(fault: str) -> None:
        from hub.errors import ClusterSilent, Invalid  # noqa: PLC0415 - the script runs by itself
        from hub.ui_fault import show_fault  # noqa: PLC0415

        faults = {
            "secret": RuntimeError("postgresql://ada:password@db"),
            "silent": ClusterSilent(),
            "invalid": Invalid("Type it."),
        }
        show_fault(faults[fault])

    return AppTest.from_function(script, args=(fault,)).run()


def test_a_fault_is_a_number_that_the_log_knows_and_nothing_of_its_words(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        [error] = shown("secret").error
    assert "password" not in error.value
    assert "RuntimeError" not in error.value
    assert "your files are safe" in error.value
    number = error.value.rpartition("`")[0].rpartition("`")[2]
    assert any(number in record.getMessage() and record.exc_info for record in caplog.records)


def test_what_podium_says_on_purpose_is_said_as_it_is() -> None:
    assert [error.value for error in shown("invalid").error] == [Invalid("Type it.").sentence]
    silent = shown("silent")
    assert [error.value for error in silent.error] == [ClusterSilent().sentence]
    assert [button.label for button in silent.button] == ["Try again"]

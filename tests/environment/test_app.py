"""The pages of the research app, over the protocol that a browser speaks: full, empty and failing."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.environment.running import APP, PLAIN_SCRIPT, Environment, connected, environment
from tests.support.script_run import drawn, run, text


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Environment]:
    """The app with a workspace that holds good, broken and oddly named files."""
    folder = tmp_path_factory.mktemp("filled")
    workspace = folder / "workspace"
    (workspace / "data").mkdir(parents=True)
    (workspace / "data/good.csv").write_text("city,people\nUmeå,130000\nVaasa,68000\n")
    (workspace / "broken.parquet").write_bytes(b"PAR1" + b"x" * 50)
    (workspace / "empty.csv").write_bytes(b"")
    (workspace / "*[x]*_y_ 🌱.csv").write_text("a,b\n1,2\n")
    (workspace / "<script>alert(1)</script>.txt".replace("/", "")).write_text("text")
    with environment(folder, APP) as running:
        yield running


def page(environment: Environment, name: str = "", query: str = "") -> str:
    with connected(environment) as socket:
        messages = run(socket, name, query)
    seen = text(messages)
    assert "Traceback" not in seen
    assert not [element for element in drawn(messages) if element.WhichOneof("type") == "exception"]
    assert "Something went wrong" not in seen
    return seen


def test_an_empty_workspace_shows_a_table_and_a_chart_to_begin_with(app: Environment) -> None:
    with connected(app) as socket:
        messages = run(socket)
    kinds = [element.WhichOneof("type") for element in drawn(messages)]
    assert {"plotly_chart", "dataframe"} <= set(kinds)
    assert "Your workspace is empty" in text(messages)


@pytest.mark.parametrize(("name", "says"), [("files", "This folder is empty"), ("explore", "There is no table yet")])
def test_an_empty_workspace_says_how_to_begin(app: Environment, name: str, says: str) -> None:
    assert says in page(app, name)


def test_the_overview_counts_what_is_there(filled: Environment) -> None:
    with connected(filled) as socket:
        kinds = [element.WhichOneof("type") for element in drawn(run(socket))]
    assert {"plotly_chart", "dataframe", "metric"} <= set(kinds)


def test_a_folder_of_the_address_is_opened(filled: Environment) -> None:
    assert "1 file" in page(filled, "files", "folder=data")


@pytest.mark.parametrize("folder", ["..", "../..", "/etc", "%2e%2e", "a%00b", "x" * 5000, "nowhere", "empty.csv", "🌱" * 100])
def test_a_folder_that_is_none_is_told_in_plain_words(filled: Environment, folder: str) -> None:
    assert "This folder cannot be shown" in page(filled, "files", f"folder={folder}")


def test_a_file_of_the_address_is_explored(filled: Environment) -> None:
    assert "2 rows of 2" in page(filled, "explore", "file=data%2Fgood.csv")


@pytest.mark.parametrize("file", ["broken.parquet", "empty.csv"])
def test_a_corrupt_file_is_told_on_the_page(filled: Environment, file: str) -> None:
    assert "This did not work" in page(filled, "explore", f"file={file}")


@pytest.mark.parametrize("file", ["../secret.csv", "/etc/passwd", "none.csv", "%00", "*"])
def test_a_file_that_is_none_falls_back_to_one_that_is(filled: Environment, file: str) -> None:
    assert "root:" not in page(filled, "explore", f"file={file}")


def test_a_script_that_fails_shows_a_number_and_the_log_holds_the_traceback(tmp_path: Path) -> None:
    script = tmp_path / "failing.py"
    script.write_text(PLAIN_SCRIPT + 'raise RuntimeError("hidden reason")\n')
    with environment(tmp_path, script) as failing:
        with connected(failing) as socket:
            seen = text(run(socket))
        assert "Something went wrong on this page" in seen
        assert "hidden reason" not in seen
        log = failing.log.read_text()
        number = log.partition("trouble ")[2][:8]
        assert number in seen
        assert "hidden reason" in log

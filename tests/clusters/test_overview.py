"""All clusters at once: a dead one is named and harms nothing."""

import threading
from pathlib import Path

import pytest

from hub import far_side
from hub.clusters import further, overview
from hub.clusters.inventory import Inventory
from hub.clusters.overview import Overview, Shown
from hub.errors import CannotStart, ClusterSilent
from hub.settings import Settings


class Told:
    """A cluster that answers as the test wants; `asked` counts the questions."""

    def __init__(self) -> None:
        self.asked = 0
        self.error: Exception | None = None
        self.answers = threading.Event()
        self.answers.set()

    def inventory(self) -> Inventory:
        self.asked += 1
        assert self.answers.wait(30)
        if self.error:
            raise self.error
        return Inventory()


def shown(told: Told, *, launches: bool = False) -> Shown:
    return Shown("A cluster", lambda: told, launches=launches)


def test_a_cluster_that_hangs_keeps_nobody_waiting_and_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overview, "PATIENCE", 0.1)
    well, hung = Told(), Told()
    hung.answers.clear()
    clusters = Overview({"well": shown(well), "hung": shown(hung, launches=True)})
    for _ in range(3):
        first, second = clusters.look()
    assert (first.id, first.inventory) == ("hung", None)
    assert "has not answered" in first.silent
    assert (second.silent, second.inventory) == ("", Inventory())
    assert (hung.asked, well.asked) == (1, 1)
    hung.answers.set()


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ClusterSilent(), "does not answer"),
        (CannotStart("no credentials"), "credentials cannot be read"),
        (KeyError("allocatable"), "does not understand"),
    ],
)
def test_what_was_heard_last_stays_when_a_cluster_goes_silent(
    monkeypatch: pytest.MonkeyPatch, error: Exception, words: str
) -> None:
    monkeypatch.setattr(overview, "FRESH", -1.0)
    told = Told()
    clusters = Overview({"one": shown(told)})
    [heard] = clusters.look()
    told.error = error
    [silent] = clusters.look()
    assert words in silent.silent
    assert (silent.inventory, silent.at) == (heard.inventory, heard.at)
    told.error = None
    assert clusters.look()[0].silent == ""


def test_many_who_look_cost_a_cluster_one_question() -> None:
    told = Told()
    clusters = Overview({"one": shown(told)})
    threads = [threading.Thread(target=clusters.look) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert told.asked == 1


def test_files_name_further_clusters_and_what_the_home_is_called(tmp_path: Path) -> None:
    (tmp_path / "local.toml").write_text('name = "The workshop"\n[links]\nGrafana = "https://grafana.example.org"\n')
    (tmp_path / "gpu-centre.toml").write_text('name = "GPU centre"\nkubeconfig = "gpu.yaml"\n')
    clusters = far_side.shown(Settings(cluster_config_path=tmp_path), lambda: (0, 0))
    assert {cluster_id: (one.name, one.launches) for cluster_id, one in clusters.items()} == {
        "local": ("The workshop", True),
        "gpu-centre": ("GPU centre", False),
    }
    assert clusters["local"].links == {"Grafana": "https://grafana.example.org"}
    with pytest.raises(CannotStart, match=r"credentials cannot be read"):
        clusters["gpu-centre"].source()


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("Not_An_Id", 'name = "x"', "named <id>.toml"),
        ("one", "name = ", "cannot be used"),
        ("one", 'name = "x"\ncolour = "red"', "colour"),
        ("one", 'name = "x"\n[links]\nEvil = "javascript:alert(1)"', "Evil"),
        ("one", 'name = "x"', "names no kubeconfig"),
    ],
)
def test_a_file_with_a_fault_stops_the_start_and_is_named(tmp_path: Path, name: str, text: str, words: str) -> None:
    (tmp_path / f"{name}.toml").write_text(text)
    with pytest.raises(CannotStart, match=words):
        far_side.shown(Settings(cluster_config_path=tmp_path), lambda: (0, 0))


def test_a_folder_that_is_not_there_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(CannotStart, match="no folder"):
        further.read(tmp_path / "gone")

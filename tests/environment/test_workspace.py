"""The workspace's own rules: paths stay inside, files are written whole or not at all."""

import errno
import io
import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from app.research.faults import WorkspaceFault, translated
from app.research.kinds import Kind, is_explorable, is_picture, kind
from app.research.person import Person
from app.research.saving import save
from app.research.survey import survey
from app.research.wording import ago, literal, shortened, shown, size
from app.research.workspace import Workspace, proper_name
from hypothesis import given
from hypothesis import strategies as st


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    (tmp_path / "workspace").mkdir()
    (tmp_path / "secret.txt").write_text("secret")
    return Workspace(tmp_path / "workspace")


ESCAPES = [
    "..",
    "../secret.txt",
    "a/../../secret.txt",
    "/etc/passwd",
    "//etc/passwd",
    "a\0b",
    "x" * 300,
    "a/" * 3000,
    "🌱" * 100,
]


@pytest.mark.parametrize("path", ESCAPES)
def test_a_path_that_leads_out_is_refused_everywhere(workspace: Workspace, path: str) -> None:
    for act in (workspace.resolve, workspace.entries, workspace.entry, workspace.delete):
        with pytest.raises(WorkspaceFault):
            act(path)
    with pytest.raises(WorkspaceFault):
        save(workspace, path, "name.txt", io.BytesIO(b"x"), replace=True)
    with pytest.raises(WorkspaceFault):
        save(workspace, "", path, io.BytesIO(b"x"), replace=True)
    assert (workspace.root.parent / "secret.txt").read_text() == "secret"


@given(st.text())
def test_no_text_leads_out(path: str) -> None:
    workspace = Workspace(Path(__file__).parent)
    try:
        assert workspace.resolve(path).is_relative_to(workspace.root)
    except (WorkspaceFault, UnicodeEncodeError):
        return


def test_a_link_that_leads_out_is_listed_and_deleted_but_not_followed(workspace: Workspace) -> None:
    (workspace.root / "out").symlink_to(workspace.root.parent)
    (workspace.root / "out.txt").symlink_to(workspace.root.parent / "secret.txt")
    assert all(entry.leads_out for entry in workspace.entries())
    for path in ("out", "out/secret.txt", "out.txt"):
        with pytest.raises(WorkspaceFault):
            workspace.resolve(path)
    workspace.delete("out")
    workspace.delete("out.txt")
    assert workspace.entries() == []
    assert (workspace.root.parent / "secret.txt").exists()


def test_folders_come_first_and_hidden_files_not_at_all(workspace: Workspace) -> None:
    workspace.make_folder("", "zoo")
    for name in ("b.txt", "A.txt", ".hidden"):
        (workspace.root / name).write_text("text")
    assert [entry.name for entry in workspace.entries()] == ["zoo", "A.txt", "b.txt"]


def test_a_folder_is_deleted_with_all_that_it_holds(workspace: Workspace) -> None:
    workspace.make_folder(workspace.make_folder("", "a"), "b")
    (workspace.root / "a/b/c.txt").write_text("x")
    workspace.delete("a")
    assert workspace.entries() == []
    with pytest.raises(WorkspaceFault, match="gone"):
        workspace.delete("a")
    with pytest.raises(WorkspaceFault, match="Workspaces page"):
        workspace.delete("")


@pytest.mark.parametrize("name", ["", " ", ".", "..", ".bashrc", "a/b", "a\\b", "a\nb", "a\0b", "x" * 256, "🌱" * 64])
def test_a_name_that_cannot_be_one_is_refused(name: str) -> None:
    with pytest.raises(WorkspaceFault):
        proper_name(name)


@pytest.mark.parametrize("name", ["daten.csv", "数据 🌱.csv", "a'b\"c;d.txt", "x" * 255, "-rf", "%2e%2e"])
def test_a_name_in_any_script_is_kept(workspace: Workspace, name: str) -> None:
    assert save(workspace, "", name, io.BytesIO(b"x"), replace=False) == name
    assert (workspace.root / name).read_bytes() == b"x"


def test_a_taken_name_gets_a_number_and_nothing_is_lost(workspace: Workspace) -> None:
    names = [save(workspace, "", "a.csv", io.BytesIO(str(n).encode()), replace=False) for n in range(3)]
    assert names == ["a.csv", "a (2).csv", "a (3).csv"]
    assert [(workspace.root / name).read_text() for name in names] == ["0", "1", "2"]
    save(workspace, "", "a.csv", io.BytesIO(b"new"), replace=True)
    assert (workspace.root / "a.csv").read_text() == "new"


class Breaking(io.BytesIO):
    """Breaks off in the middle, as a full disk does."""

    def __init__(self, content: bytes, number: int) -> None:
        super().__init__(content)
        self.number = number

    def read(self, size: int | None = -1, /) -> bytes:
        if self.tell():
            raise OSError(self.number, os.strerror(self.number))
        return super().read(min(10, size or 0))


@pytest.mark.parametrize(
    ("number", "words"), [(errno.ENOSPC, "disk is full"), (errno.EDQUOT, "workspace is full.*larger size")]
)
def test_a_write_that_breaks_off_leaves_the_old_file_and_no_part(workspace: Workspace, number: int, words: str) -> None:
    (workspace.root / "a.csv").write_text("old")
    with pytest.raises(WorkspaceFault, match=words):
        save(workspace, "", "a.csv", Breaking(b"x" * 100, number), replace=True)
    assert (workspace.root / "a.csv").read_text() == "old"
    assert list(workspace.root.iterdir()) == [workspace.root / "a.csv"]


def test_an_abandoned_part_is_removed_and_a_young_one_is_not(workspace: Workspace) -> None:
    old, young = workspace.root / ".podium-old.part", workspace.root / ".podium-young.part"
    for part in (old, young):
        part.write_text("part")
    os.utime(old, (time.time() - 7200,) * 2)
    save(workspace, "", "a.csv", io.BytesIO(b"x"), replace=False)
    assert not old.exists()
    assert young.exists()


def test_a_folder_cannot_be_replaced_by_a_file(workspace: Workspace) -> None:
    workspace.make_folder("", "data")
    with pytest.raises(WorkspaceFault):
        save(workspace, "", "data", io.BytesIO(b"x"), replace=True)
    with pytest.raises(WorkspaceFault):
        workspace.make_folder("", "data")


def test_a_workspace_that_cannot_be_read_is_not_an_empty_one(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceFault, match="is gone"):
        survey(Workspace(tmp_path / "gone"))


def test_the_survey_counts_files_and_stops_at_its_limit(workspace: Workspace) -> None:
    workspace.make_folder("", "data")
    (workspace.root / "data/big.csv").write_bytes(b"x" * 1000)
    (workspace.root / "small.png").write_bytes(b"x" * 10)
    (workspace.root / "again").symlink_to(workspace.root / "data")
    found = survey(workspace)
    assert [(file.path, file.size) for file in found.largest(5)] == [("data/big.csv", 1000), ("small.png", 10)]
    assert (found.size, found.complete, found.by_kind()) == (1010, True, {Kind.TABLE: 1000, Kind.IMAGE: 10})
    assert [file.path for file in found.explorable()] == ["data/big.csv"]
    assert not survey(workspace, most=1).complete


def test_errors_of_the_system_become_sentences() -> None:
    for number in (errno.ENOSPC, errno.EACCES, errno.EROFS, errno.EIO):
        with pytest.raises(WorkspaceFault) as raised, translated():
            raise OSError(number, os.strerror(number))
        assert raised.value.sentence.endswith(".")


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (1234, "1.2 kB"),
        (209_000_000, "210 MB"),
        (2_149_000_000, "2.1 GB"),
        (99_400, "99 kB"),
    ],
)
def test_sizes_have_two_digits(amount: int, words: str) -> None:
    assert size(amount) == words


def test_times_are_told_in_their_largest_unit() -> None:
    now = datetime.now(UTC)
    told = [ago(now - timedelta(seconds=seconds), now) for seconds in (0, 5, 90, 7200, 200_000)]
    assert told == ["just now", "5 s ago", "1 min ago", "2 h ago", "2 d ago"]


def test_names_are_shown_as_they_are() -> None:
    assert literal("*a*_b_[c](d):smile:$x$") == r"\*a\*\_b\_\[c\]\(d\)\:smile\:\$x\$"
    assert shown(os.fsdecode(b"caf\xe9\n")) == "caf\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}"
    assert len(shortened("x" * 500 + ".csv")) == 60
    assert shortened("x" * 500 + ".csv").endswith("xxx.csv")


def test_kinds_go_by_the_end_of_the_name() -> None:
    assert [kind(name) for name in ("A.CSV", "b.parquet", "c.tsv.gz", "d.ipynb", "e", "f.tar.gz")] == [
        Kind.TABLE,
        Kind.TABLE,
        Kind.TABLE,
        Kind.NOTEBOOK,
        Kind.OTHER,
        Kind.ARCHIVE,
    ]
    assert is_explorable("a.csv.gz")
    assert not is_explorable("a.xlsx")
    assert is_picture("a.PNG")
    assert not is_picture("a.svg")


def test_a_person_without_a_name_is_called_by_the_address() -> None:
    assert Person.of({}) is None
    assert Person.of({"id": "1", "email": "a@b.c"}) == Person("a@b.c", "a@b.c", "")
    assert Person.of({"id": "1", "name": "Zoë".encode().decode("latin-1")}) == Person("Zoë", "", "")

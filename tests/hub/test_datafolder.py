"""The data folder is private, checked before anything is written, and held by one hub at a time."""

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from environment.confining.kernel import libc

from hub.datafolder import DataFolder, file_system, look_at, prepare
from hub.errors import CannotStart

MOUNTS = """\
22 1 0:20 / / rw - ext4 /dev/sda1 rw
30 22 0:31 / /home rw - nfs4 server:/home rw
31 22 0:32 / /mnt/with\\040space rw - cifs //server/share rw
32 30 0:33 / /home/local rw - ext4 /dev/sdb1 rw
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/var/lib/podium", "ext4"),
        ("/home/ada/podium/data", "nfs4"),
        ("/home/local/data", "ext4"),
        ("/homely/data", "ext4"),
        ("/mnt/with space/data", "cifs"),
    ],
)
def test_the_file_system_is_that_of_the_innermost_mount(path: str, kind: str) -> None:
    assert file_system(Path(path), MOUNTS) == kind


def test_a_network_file_system_is_refused_with_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "hub.datafolder.NETWORK_FILE_SYSTEMS", {file_system(tmp_path, Path("/proc/self/mountinfo").read_text("utf-8"))}
    )
    with pytest.raises(CannotStart, match=r"lies on a network file system .*Name a folder on a local disk in DATA_DIR"):
        prepare(tmp_path)


def test_a_link_to_a_network_file_system_is_refused_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = Path("/dev/shm") / f"podium-{os.getpid()}"
    monkeypatch.setattr(
        "hub.datafolder.NETWORK_FILE_SYSTEMS", {file_system(elsewhere, Path("/proc/self/mountinfo").read_text("utf-8"))}
    )
    (tmp_path / "data").symlink_to(elsewhere)
    try:
        with pytest.raises(CannotStart, match=r"lies on a network file system"):
            prepare(tmp_path / "data")
    finally:
        elsewhere.rmdir()


def test_a_folder_that_is_a_file_is_refused_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    with pytest.raises(CannotStart, match=r"cannot be written: .*Free or repair it, or name another one in DATA_DIR"):
        prepare(tmp_path / "data")


def test_a_folder_that_cannot_be_written_is_refused_with_a_sentence() -> None:
    with pytest.raises(CannotStart, match=r"cannot be written"):
        prepare(Path("/proc/podium"))


def test_a_full_disk_is_refused_with_the_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.datafolder.MIN_FREE", 2**60)
    with pytest.raises(CannotStart, match=r"is full: \d+ MiB are free and \d+ MiB are needed"):
        prepare(tmp_path)


def test_who_only_looks_makes_nothing_and_hears_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert look_at(tmp_path / "not" / "yet").path == tmp_path / "not" / "yet"
    (tmp_path / "file").write_text("a file")
    for place in (tmp_path / "file", tmp_path / "file" / "data", Path("/dev/null/data")):
        with pytest.raises(CannotStart, match=r"cannot be written: .*Free or repair it, or name another one in DATA_DIR"):
            look_at(place)
    monkeypatch.setattr("hub.datafolder.MIN_FREE", 2**60)
    with pytest.raises(CannotStart, match=r"is full"):
        look_at(tmp_path / "not" / "yet")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_the_folder_and_its_secrets_are_private_and_stay_the_same(tmp_path: Path) -> None:
    folder = prepare(tmp_path / "data")
    secret = folder.secret("master")
    assert len(secret) == 64
    assert prepare(tmp_path / "data").secret("master") == secret
    folder.close_database()
    assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700
    assert stat.S_IMODE(folder.database.stat().st_mode) == 0o600
    assert stat.S_IMODE((folder.path / "master.secret").stat().st_mode) == 0o600


def test_a_second_hub_is_told_where_the_first_one_is(tmp_path: Path) -> None:
    first = prepare(tmp_path)
    first.hold()
    first.name_holder("http://localhost:8501")
    with pytest.raises(CannotStart, match=r"already running at http://localhost:8501"):
        prepare(tmp_path).hold()
    assert prepare(tmp_path).holder() == os.getpid()
    first.release()
    assert prepare(tmp_path).holder() is None


def test_a_hub_that_was_killed_leaves_the_folder_free(tmp_path: Path) -> None:
    hold = (
        f"import os, pathlib, hub.datafolder as d; d.prepare(pathlib.Path({str(tmp_path)!r})).hold(); os.kill(os.getpid(), 9)"
    )
    killed = subprocess.run([sys.executable, "-c", hold], check=False)
    assert killed.returncode == -9
    folder = prepare(tmp_path)
    folder.hold()
    folder.release()


def test_a_lock_that_another_account_has_left_is_named_with_what_to_do(closed: DataFolder) -> None:
    for look in (closed.hold, closed.holder):
        with pytest.raises(CannotStart, match="sudo chown -R"):
            look()


@pytest.fixture
def closed() -> Iterator[DataFolder]:
    """A folder whose lock is closed to this account; where that is root, which nothing is closed to, it looks as nobody."""
    with TemporaryDirectory() as name:
        folder = DataFolder(Path(name))
        folder.path.chmod(0o755)
        (folder.path / "hub.lock").touch(0o600)
        (folder.path / "hub.lock").chmod(0)
        libc.setfsuid(65534 if os.geteuid() == 0 else os.geteuid())
        yield folder
        libc.setfsuid(os.geteuid())

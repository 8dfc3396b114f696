"""Workspaces whose contents are hostile: measured, archived and deleted without being led astray."""

import io
import os
import socket
import stat
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.clock import new_id
from hub.errors import Conflict
from hub.spawners.base import Size
from hub.spawners.files.archive import LEFT_OUT, archive
from hub.spawners.files.descent import look
from hub.spawners.files.tree import DEEPEST
from hub.spawners.local.folders import Folders
from hub.spawners.local.workspaces import Workspaces

MIB = 1024 * 1024


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    folders = Folders(tmp_path / "data", tmp_path / "runtime")
    folders.prepare()
    return folders


@pytest.fixture
def workspaces(folders: Folders) -> Workspaces:
    return Workspaces(folders)


def _unpacked(parts: Iterator[bytes]) -> tuple[dict[str, tarfile.TarInfo], dict[str, bytes]]:
    with tarfile.open(fileobj=io.BytesIO(b"".join(parts)), mode="r:gz") as packed:
        members = packed.getmembers()
        contents = {member.name: packed.extractfile(member) for member in members if member.isreg()}
        return {member.name: member for member in members}, {name: file.read() for name, file in contents.items() if file}


def _deep(top: Path, levels: int) -> int:
    """Folders in folders until no path could name the last one, which is returned open."""
    folder = os.open(top, os.O_RDONLY)
    for _ in range(levels):
        os.mkdir("d" * 100, dir_fd=folder)
        below = os.open("d" * 100, os.O_RDONLY, dir_fd=folder)
        os.close(folder)
        folder = below
    return folder


def test_links_are_kept_and_lead_nowhere(workspaces: Workspaces, tmp_path: Path) -> None:
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "key").write_bytes(bytes(2 * MIB))
    top = workspaces.make(workspace := new_id())
    (top / "folder").symlink_to(tmp_path / "secret")
    (top / "file").symlink_to(tmp_path / "secret" / "key")
    (top / "circle").symlink_to(top)
    members, contents = _unpacked(workspaces.archive(workspace))
    assert {name: member.linkname for name, member in members.items()} == {
        "folder": str(tmp_path / "secret"),
        "file": str(tmp_path / "secret" / "key"),
        "circle": str(top),
    }
    assert contents == {}
    assert workspaces.size(workspace).used < MIB
    workspaces.delete(workspace)
    workspaces.empty_trash()
    assert (tmp_path / "secret" / "key").exists()


def test_pipes_and_sockets_are_left_out_and_named(workspaces: Workspaces, monkeypatch: pytest.MonkeyPatch) -> None:
    top = workspaces.make(workspace := new_id())
    monkeypatch.chdir(top)
    os.mkfifo("pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket")
        (top / "text").write_text("kept")
        members, contents = _unpacked(workspaces.archive(workspace))
    assert set(members) == {"text", LEFT_OUT}
    assert contents["text"] == b"kept"
    assert set(contents[LEFT_OUT].splitlines()) == {b"pipe: no file, folder or link", b"socket: no file, folder or link"}


def test_names_of_any_bytes_and_any_length_are_kept(workspaces: Workspaces) -> None:
    top = workspaces.make(workspace := new_id())
    names = [b"n" * 255, b"\xff\xfe not unicode", "日本語 \n new line".encode(), b"-rf *", b"a\\b"]
    for name in names:
        with open(os.path.join(os.fsencode(top), name), "wb") as file:  # noqa: PTH118, PTH123 (names are bytes)
            file.write(name)
    members, contents = _unpacked(workspaces.archive(workspace))
    assert {os.fsencode(name) for name in members} == set(names)
    assert all(os.fsencode(name) == content for name, content in contents.items())


def test_files_that_change_while_they_are_read_do_not_break_the_archive(workspaces: Workspaces) -> None:
    top = workspaces.make(workspace := new_id())
    for name in ("grows", "shrinks", "goes"):
        (top / name).write_bytes(os.urandom(3 * MIB))
    parts = workspaces.archive(workspace)
    read = [next(parts)]
    with (top / "grows").open("ab") as file:
        file.write(os.urandom(MIB))
    os.truncate(top / "shrinks", 10)
    (top / "goes").unlink()
    members, contents = _unpacked(iter([*read, *parts]))
    assert set(members) <= {"grows", "shrinks", "goes", LEFT_OUT}
    assert len(contents["grows"]) in (3 * MIB, 4 * MIB)
    assert len(contents["shrinks"]) in (3 * MIB, 10)


def test_a_large_archive_takes_little_memory(workspaces: Workspaces) -> None:
    top = workspaces.make(workspace := new_id())
    with (top / "holes").open("wb") as file:
        file.truncate(300 * MIB)
    assert max(len(part) for part in workspaces.archive(workspace)) < 2 * MIB
    assert workspaces.size(workspace) == Size(0)


def test_what_lies_too_deep_is_named_and_can_be_deleted(workspaces: Workspaces, folders: Folders) -> None:
    top = workspaces.make(workspace := new_id())
    os.close(_deep(top, 2 * DEEPEST))
    members, contents = _unpacked(workspaces.archive(workspace))
    assert len(members) == DEEPEST + 1
    assert b"folders deep" in contents[LEFT_OUT]
    workspaces.delete(workspace)
    workspaces.empty_trash()
    assert list(folders.trash.iterdir()) == []


def test_nothing_is_hidden_from_a_measurement_by_closing_folders_which_stay_closed(workspaces: Workspaces) -> None:
    top = workspaces.make(workspace := new_id())
    closed = {"a": 0o000, "a/b": 0o400, "a/b/c": 0o100, "a/b/c/d": 0o000}
    for folder in closed:
        (top / folder).mkdir()
        (top / folder / "data").write_bytes(bytes(MIB))
    for folder, mode in [*reversed(closed.items()), ("", 0o000)]:
        (top / folder).chmod(mode)
    assert 4 * MIB <= workspaces.size(workspace).used < 5 * MIB
    assert stat.S_IMODE(top.stat().st_mode) == 0
    top.chmod(0o700)
    for folder, mode in closed.items():
        assert stat.S_IMODE((top / folder).stat().st_mode) == mode
        (top / folder).chmod(0o700)


def test_nothing_is_hidden_from_a_measurement_by_depth(workspaces: Workspaces) -> None:
    top = workspaces.make(workspace := new_id())
    bottom = _deep(top, 20 * DEEPEST)
    with open(os.open("data", os.O_WRONLY | os.O_CREAT, dir_fd=bottom), "wb") as file:  # noqa: PTH123 (a descriptor)
        file.write(bytes(MIB))
    os.close(bottom)
    open_before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 (names are enough)
    assert workspaces.size(workspace).used >= MIB
    assert len(os.listdir("/proc/self/fd")) == open_before  # noqa: PTH208
    workspaces.delete(workspace)
    workspaces.empty_trash()


def test_nothing_is_hidden_from_a_measurement_by_setting_blocks_aside_or_by_many_small_files(workspaces: Workspaces) -> None:
    top = workspaces.make(workspace := new_id())
    (top / "aside").touch()
    subprocess.run(["fallocate", "--keep-size", "--length", str(3 * MIB), top / "aside"], check=True)
    assert (top / "aside").stat().st_size == 0
    assert workspaces.size(workspace).used >= 3 * MIB
    for number in range(300):
        (top / str(number)).write_text("x")
    assert workspaces.size(workspace).used >= 4 * MIB


def test_a_measurement_ends_where_the_folder_that_it_looks_into_is_moved_elsewhere(tmp_path: Path) -> None:
    for name in ("top/one", "top/two", "elsewhere/one", "elsewhere/two"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "file").write_text(name)
    looked = look(tmp_path / "top")
    inside = next(status.st_ino for status in looked if stat.S_ISREG(status.st_mode))
    first = next(name for name in ("one", "two") if (tmp_path / "top" / name / "file").stat().st_ino == inside)
    (tmp_path / "top" / first).rename(tmp_path / "elsewhere" / "moved")
    assert list(looked) == []


def test_deletion_takes_what_is_locked_and_goes_on_where_it_was_cut_short(workspaces: Workspaces, folders: Folders) -> None:
    top = workspaces.make(workspace := new_id())
    for folder in ("a", "a/b", "a/b/c", "d"):
        (top / folder).mkdir()
        (top / folder / "text").write_text("x")
    (top / "a" / "b").chmod(0)
    (top / "d").chmod(0o500)
    workspaces.delete(workspace)
    assert not top.exists()
    (folders.trash / "below-left-by-another").mkdir()
    again = Workspaces(folders)
    again.empty_trash()
    assert list(folders.trash.iterdir()) == []


def test_a_workspace_that_was_replaced_by_a_link_is_not_used(workspaces: Workspaces, folders: Folders, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    workspace = new_id()
    folders.workspace(workspace).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(NotADirectoryError):
        workspaces.make(workspace)
    workspaces.delete(workspace)
    workspaces.empty_trash()
    assert (tmp_path / "elsewhere").exists()


def test_a_workspace_that_was_opened_to_others_is_closed_again(workspaces: Workspaces) -> None:
    top = workspaces.make(workspace := new_id())
    top.chmod(0o777)
    workspaces.make(workspace)
    assert top.stat().st_mode & 0o777 == 0o700


def test_a_workspace_whose_lock_is_held_is_not_deleted(workspaces: Workspaces) -> None:
    top = workspaces.make(workspace := new_id())
    with workspaces._held(workspace), pytest.raises(Conflict):
        workspaces.delete(workspace)
    assert top.exists()


def test_the_archive_of_nothing_is_a_valid_archive(tmp_path: Path) -> None:
    assert _unpacked(archive(tmp_path / "nowhere")) == ({}, {})

"""What every spawner promises of workspaces, whether an environment runs with them or not."""

import io
import tarfile

import pytest

from hub.clock import new_id
from hub.errors import Conflict
from tests.spawners.far_side import FarSide, ended, ready


def test_a_workspace_outlives_its_starts(far: FarSide) -> None:
    first = far.spec()
    second = far.spec(workspace_id=first.workspace_id)
    ready(far, first)
    far.run(first.start_id, "open('notes.txt', 'w').write('kept')")
    far.spawner.stop(first.start_id)
    ended(far, first.start_id)
    ready(far, second)
    assert far.run(second.start_id, "result = open('notes.txt').read()") == "kept"


def test_the_size_of_a_workspace_is_known_while_it_runs_and_after(far: FarSide) -> None:
    spec = far.spec()
    assert far.spawner.workspace_size(spec.workspace_id).used == 0
    ready(far, spec)
    far.run(spec.start_id, "import os; open('data', 'wb').write(os.urandom(1000000)); os.link('data', 'again')")
    assert 1_000_000 <= (used := far.spawner.workspace_size(spec.workspace_id).used) < 1_100_000
    far.spawner.stop(spec.start_id)
    ended(far, spec.start_id)
    assert far.spawner.workspace_size(spec.workspace_id).used == used


def test_an_archive_holds_the_workspace_with_links_kept_as_links(far: FarSide) -> None:
    spec = far.spec()
    ready(far, spec)
    far.run(spec.start_id, "import os; os.makedirs('a/b'); open('a/b/text', 'w').write('x'); os.symlink('/etc/passwd', 'link')")
    found = {member.name: member for member in _archived(far, spec.workspace_id)}
    assert set(found) == {"a", "a/b", "a/b/text", "link"}
    assert found["link"].issym()
    assert found["link"].linkname == "/etc/passwd"


def test_the_archive_of_a_workspace_that_does_not_exist_is_empty(far: FarSide) -> None:
    assert _archived(far, new_id()) == []


def _archived(far: FarSide, workspace_id: str) -> list[tarfile.TarInfo]:
    packed = io.BytesIO(b"".join(far.spawner.workspace_archive(workspace_id)))
    with tarfile.open(fileobj=packed, mode="r:gz") as archive:
        return archive.getmembers()


def test_a_workspace_is_deleted_for_good_but_not_while_a_start_holds_it(far: FarSide) -> None:
    spec = far.spec()
    ready(far, spec)
    far.run(spec.start_id, "open('notes.txt', 'w').write('x' * 5000)")
    assert spec.workspace_id in {volume.workspace_id for volume in far.spawner.volumes()}
    with pytest.raises(Conflict):
        far.spawner.delete_workspace(spec.workspace_id)
    assert far.run(spec.start_id, "result = len(open('notes.txt').read())") == "5000"
    far.spawner.stop(spec.start_id)
    ended(far, spec.start_id)
    far.spawner.delete_workspace(spec.workspace_id)
    assert spec.workspace_id not in {volume.workspace_id for volume in far.spawner.volumes()}
    assert far.spawner.workspace_size(spec.workspace_id).used == 0
    far.spawner.delete_workspace(spec.workspace_id)
    again = far.spec(workspace_id=spec.workspace_id)
    ready(far, again)
    assert far.run(again.start_id, "import os; result = os.listdir('.')") == "[]"

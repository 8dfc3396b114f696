"""How much of what lies in the workspace, bounded in number so that a huge one costs little."""

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from .faults import translated
from .kinds import Kind, is_explorable, kind
from .workspace import Entry, Workspace

MOST_FILES = 20_000


@dataclass(frozen=True)
class Survey:
    """All files that were looked at. `complete` is false where there are more."""

    files: tuple[Entry, ...]
    complete: bool

    @property
    def size(self) -> int:
        return sum(file.size for file in self.files)

    def largest(self, number: int) -> list[Entry]:
        return sorted(self.files, key=lambda file: (-file.size, file.path))[:number]

    def latest(self) -> Entry | None:
        return max(self.files, key=lambda file: file.changed, default=None)

    def explorable(self) -> list[Entry]:
        return sorted((file for file in self.files if is_explorable(file.name)), key=lambda file: file.path.lower())

    def by_kind(self) -> dict[Kind, int]:
        """Bytes of each kind, the largest first."""
        sizes: Counter[Kind] = Counter()
        for file in self.files:
            sizes[kind(file.name)] += file.size
        return dict(sizes.most_common())


def survey(workspace: Workspace, most: int = MOST_FILES) -> Survey:
    """Look through the workspace. Links are passed over: what they lead to is counted where it lies.

    Raises `WorkspaceFault` where the workspace itself cannot be read: it is not an empty one.
    """
    with translated():
        os.scandir(workspace.root).close()
    files = list(islice(_files(workspace.root, ""), most + 1))
    return Survey(tuple(files[:most]), complete=len(files) <= most)


def _files(folder: Path, prefix: str) -> Iterator[Entry]:
    try:
        items = sorted(os.scandir(folder), key=lambda item: item.name)
    except OSError:  # a folder that is gone or closed to us holds nothing to show
        return
    for item in items:
        if item.name.startswith(".") or item.is_symlink():
            continue
        if item.is_dir(follow_symlinks=False):
            yield from _files(folder / item.name, f"{prefix}{item.name}/")
        elif entry := _entry(item, prefix):
            yield entry


def _entry(item: os.DirEntry[str], prefix: str) -> Entry | None:
    try:
        facts = item.stat(follow_symlinks=False)
    except OSError:  # deleted since the folder was read
        return None
    return Entry(
        f"{prefix}{item.name}",
        is_folder=False,
        leads_out=False,
        size=facts.st_size,
        changed=datetime.fromtimestamp(facts.st_mtime, UTC),
    )

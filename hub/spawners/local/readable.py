"""Folders that an operator shows to every environment of this machine: `READABLE_FOLDERS`."""

from collections.abc import Iterable
from pathlib import Path

from hub.errors import CannotStart


def check_readable(folders: Iterable[Path], kept: Iterable[Path]) -> None:
    """Raises `CannotStart` for a folder in which something `kept` for Podium alone lies, or that lies in it."""
    for folder in folders:
        if not folder.is_absolute():
            raise CannotStart(f"READABLE_FOLDERS is to name whole paths, which begin with a slash, and names {folder}.")
        for own in kept:
            if _overlap(folder.resolve(), own.resolve()):
                raise CannotStart(
                    f"READABLE_FOLDERS shows {folder} to every environment, and Podium keeps secrets and people's files in "
                    f"{own}. Name folders apart from that."
                )


def _overlap(one: Path, other: Path) -> bool:
    return one.is_relative_to(other) or other.is_relative_to(one)

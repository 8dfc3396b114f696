"""The check that a folder is this account's own, so that nobody else can have put there what lies in it."""

import os
import stat
from pathlib import Path

from hub.errors import CannotStart
from hub.seam import crossing

PRIVATE, OF_GROUP, PASSABLE = 0o700, 0o710, 0o711
"""Modes of folders: through the second one a group may go, through the third one others, and they see nothing in it."""


def own_folder(path: Path, mode: int = PRIVATE) -> None:
    """A folder of this user's that nobody else may read. Made where it is missing, refused where it is foreign."""
    try:
        if not path.exists():
            with crossing("make a folder"):
                path.mkdir(mode=PRIVATE, parents=True, exist_ok=True)
        found = path.lstat()
    except OSError as error:
        raise CannotStart(
            f"The folder {path} cannot be made ({error.strerror}): give this account the right to write there, "
            "or choose another folder with DATA_DIR or RUNTIME_DIR."
        ) from error
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o777 & ~PASSABLE:
        raise CannotStart(
            f"The folder {path} is not this account's alone (it may be a link, another account's, or open to others): "
            "come as the account that it belongs to, close it to others, or choose another folder with DATA_DIR or RUNTIME_DIR."
        )
    if mode & ~found.st_mode:
        with crossing("open a folder to those who go through"):
            path.chmod(mode)

"""What can go wrong in a workspace, in sentences for the person who uses it.

Foreign errors (of the system, of DuckDB, of Pillow) are translated where they arise, so a page
catches one class and shows its sentence.
"""

import errno
from collections.abc import Iterator
from contextlib import contextmanager


class WorkspaceFault(Exception):
    """What happened and what to do now, as one text."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


_FULL = "The disk is full. Nothing was changed; delete files that you no longer need and try again."
_OVER_QUOTA = (
    "Your workspace is full. Nothing was changed; delete files that you no longer need, "
    "or choose a larger size when you launch it again."
)
_SENTENCES = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _OVER_QUOTA,
    errno.EACCES: "The permissions of this file or folder do not allow that.",
    errno.EPERM: "The permissions of this file or folder do not allow that.",
    errno.EROFS: "The workspace can only be read at the moment.",
    errno.ENOENT: "This file or folder is gone. Somebody or something has deleted or renamed it.",
    errno.ENAMETOOLONG: "The name is too long. Names have at most 255 bytes.",
    errno.ENOTDIR: "This is a file and not a folder.",
    errno.EISDIR: "There is a folder of that name.",
    errno.EEXIST: "There is a file or folder of that name already.",
    errno.ELOOP: "This link leads round in a circle.",
}


@contextmanager
def translated() -> Iterator[None]:
    """Turn an error of the system into a `WorkspaceFault`."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise WorkspaceFault(_SENTENCES.get(error.errno or 0, f"The system refused: {reason}.")) from error

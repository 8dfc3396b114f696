"""The secret by which hub and agent know each other: whoever can read it may give orders to the agent."""

import contextlib
import os
import secrets
from pathlib import Path

from hub.errors import CannotStart
from hub.seam import crossing
from hub.spawners.local.folders import Folders


def secret_of(folders: Folders) -> str:
    """The secret that hub and agent share, made at the first call. Several processes may call at once."""
    try:
        if not folders.agent_secret.exists():
            _make_secret(folders.agent_secret)
        return folders.agent_secret.read_text()
    except OSError as error:
        raise CannotStart(
            f"The file {folders.agent_secret} cannot be read or made ({error.strerror}): give this account the right to."
        ) from error


def share(folders: Folders, secret: str) -> None:
    """Let the group read the secret."""
    assert folders.group is not None
    draft = folders.shared_secret.with_name(f"secret.{secrets.token_hex(4)}")
    with crossing("share the agent's secret"):
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o640)
        with os.fdopen(descriptor, "w") as file:
            file.write(secret)
        os.chown(draft, -1, folders.group)
        draft.rename(folders.shared_secret)


def _make_secret(path: Path) -> None:
    """Linked into place whole: of several makers the first wins."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    with crossing("make the agent's secret"), contextlib.suppress(FileExistsError):
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(32))
        os.link(draft, path)
    with crossing("remove the secret's draft"):
        draft.unlink()

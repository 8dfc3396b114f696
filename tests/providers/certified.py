"""Starts the certified provider (`certified.mjs`). Without Node or its package the test is skipped, in CI it fails."""

import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.ci import absent

HERE = Path(__file__).resolve().parent
PACKAGE = HERE.parent / "node_modules" / "oidc-provider"
CLIENT, SECRET = "podium", "a secret that only the provider and Podium know"


@dataclass
class Certified:
    """It answers once `admit` has told it who its client is."""

    issuer: str
    process: subprocess.Popen[str]

    def admit(self, root_url: str, name: str, accounts: Mapping[str, Mapping[str, Any]]) -> None:
        client = {
            "client_id": CLIENT,
            "client_secret": SECRET,
            "redirect_uris": [f"{root_url}/auth/callback/{name}"],
            "post_logout_redirect_uris": [f"{root_url}/login"],
            "backchannel_logout_uri": f"{root_url}/auth/backchannel/{name}",
            "backchannel_logout_session_required": True,
        }
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"clients": [client], "accounts": accounts}) + "\n")
        self.process.stdin.flush()


@contextmanager
def certified() -> Iterator[Certified]:
    """The provider runs while the block does."""
    node = shutil.which("node")
    if node is None or not PACKAGE.is_dir():
        absent("Node.js or the npm package oidc-provider is not installed; on Debian: apt-get install nodejs npm")
    command = [node, str(HERE / "certified.mjs")]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout is not None
            yield Certified(process.stdout.readline().strip(), process)
        finally:
            process.kill()

"""Podium by Docker Compose, as a project of a test's own on the engine that DOCKER_HOST names."""

import os
import re
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from hub.database import Database
from hub.identity.sessions import Sessions
from hub.settings import ROOT
from tests.cluster.house import House
from tests.cluster.installed import Release
from tests.routing.serving import free_port
from tests.support.ci import absent

PASSWORD = secrets.token_hex(16)


@dataclass
class Installed:
    """`folder` is where its files lie: what `compose.yml` names beside itself is made there."""

    name: str
    folder: Path
    port: int
    plain_port: int
    """Where plain HTTP is sent on to TLS, if it speaks TLS."""
    scheme: str = "http"
    domain: str = "localhost"
    files: tuple[str, ...] = ("compose.yml", "override.yml")
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.domain}:{self.port}"

    @property
    def link(self) -> str:
        """The first administrator's."""
        logged = self.compose("logs", "hub")
        found = re.findall(r"First administrator, .*: (\S+)", logged)
        assert found, logged
        return str(found[-1])

    def up(self) -> None:
        self.compose("up", "--detach", "--no-build", "--pull", "never", "--quiet-pull")

    def compose(self, *arguments: str) -> str:
        """What it prints. Fails the test where the command fails."""
        done = self.attempt(*arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def attempt(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        named = [part for file in self.files for part in ("--file", str(self.folder / file))]
        command = ["docker", "compose", "--project-name", self.name, *named, *arguments]
        variables = {"DATABASE_PASSWORD": PASSWORD, "PORT": str(self.port), "PLAIN_PORT": str(self.plain_port)}
        variables |= {"PUBLIC_URL": self.url, "BASE_DOMAIN": self.domain}
        variables |= {"PODIUM_IMAGE": os.environ["TEST_MACHINE_IMAGE"], "NGINX_IMAGE": os.environ["TEST_NGINX_IMAGE"]}
        environment = {**os.environ, **variables, **self.variables}
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)

    def inside(self, service: str, *command: str) -> str:
        """What a command prints that runs beside that service."""
        return self.compose("exec", "--no-TTY", service, *command)

    def addresses(self, service: str) -> list[str]:
        """Of a service, in each of its networks."""
        template = "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}"
        named = self.compose("ps", "--quiet", service).strip()
        return subprocess.check_output(["docker", "inspect", "--format", template, named], text=True).split()

    @contextmanager
    def stranger(self, network: str) -> Iterator[None]:
        """Another container in one of its networks, which takes the first address that is free there."""
        image = os.environ["TEST_NGINX_IMAGE"]
        command = ["docker", "run", "--detach", "--network", f"{self.name}_{network}", "--entrypoint", "sleep", image, "600"]
        started = subprocess.check_output(command, text=True).strip()
        try:
            yield
        finally:
            subprocess.run(["docker", "rm", "--force", started], check=True, capture_output=True)

    def house(self) -> House:
        """People who use it by the protocols that browsers speak. Of the engine's network everything can be reached."""
        address = self.addresses("database")[0]
        database = Database(f"postgresql://podium:{PASSWORD}@{address}/podium")
        return House(Release("", "", self.url), database, Sessions(database, timedelta(hours=8)), [f"127.0.0.1:{self.port}"])


@contextmanager
def installed(folder: Path, **changes: object) -> Iterator[Installed]:
    """Up, and gone with all its volumes at the end."""
    if "TEST_MACHINE_IMAGE" not in os.environ or shutil.which("docker") is None:
        absent("There is no Docker with Podium's images; docs/developing.md says how")
    for file in ("compose.yml", "compose.tls.yml", "tests/compose/override.yml"):
        shutil.copy(ROOT / file, folder)
    one = Installed(f"podium-test-{secrets.token_hex(4)}", folder, free_port(), free_port(), **changes)  # type: ignore[arg-type]
    try:
        one.up()
        yield one
    finally:
        one.compose("--profile", "maintenance", "down", "--volumes", "--timeout", "5")

"""A whole Podium for tests: `python -m hub up` in a folder of its own, on a port that the kernel chose."""

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from typer.testing import CliRunner, Result

from hub.cli import app
from hub.identity.cookies import cookie_name
from hub.identity.roles import Role
from hub.services import Services
from hub.settings import load
from hub.up import open_services

ROOT = Path(__file__).resolve().parents[2]
READY_SECONDS = 180


@dataclass
class Podium:
    """One installation. `start` and `stop` it as often as needed; `down` ends the environments too."""

    folder: Path
    variables: dict[str, str]
    port: int = 0
    url: str = ""
    link: str | None = None
    lines: list[str] = field(default_factory=list)
    process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Serve; returns when the hub has said where."""
        self.lines = []
        self.process = subprocess.Popen(
            [sys.executable, "-m", "hub", "up"],
            cwd=self.folder,
            env=self._environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        ready = threading.Event()
        threading.Thread(target=self._read, args=(self.process, ready), daemon=True).start()
        assert ready.wait(READY_SECONDS), "\n".join(self.lines)
        assert self.url, "\n".join(self.lines)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Another command of the same installation, to its end."""
        return subprocess.run(
            [sys.executable, "-m", "hub", *arguments],
            cwd=self.folder, env=self._environment(), capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    def call(self, *arguments: str) -> Result:
        """The same within this process, which spares it the second that loading everything takes."""
        before = Path.cwd()
        os.chdir(self.folder)
        try:
            return CliRunner().invoke(app, arguments, env=self._environment(), catch_exceptions=False)
        finally:
            os.chdir(before)

    def add_user(self, name: str, full_name: str = "") -> str:
        """A new user; the address of the one-time link. Faster than the command, which is a process of its own."""
        with self._services() as services:
            user = services.identity.add_user(name, full_name or name, Role.USER)
            return f"{services.settings.root_url}/set-password?link={services.identity.make_password_link(user.id)}"

    def log_in(self, name: str, password: str, full_name: str = "") -> tuple[str, str]:
        """A new user with that password, already logged in: name and value of the session's cookie."""
        with self._services() as services:
            user = services.identity.add_user(name, full_name or name, Role.USER)
            services.identity.set_password_by_link(services.identity.make_password_link(user.id), password)
            return cookie_name(services.settings, "session"), services.sessions.open(user.id, "127.0.0.1", "a browser")

    @contextmanager
    def _services(self) -> Iterator[Services]:
        services = open_services(load(self._environment(), self.folder / ".env")[0])
        try:
            yield services
        finally:
            services.database.close()

    def kill(self) -> None:
        """As a crash does: no farewell."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """As Ctrl-C does."""
        self._end(signal.SIGINT)

    def down(self) -> None:
        """End everything."""
        ended = self.run("down")
        assert ended.returncode == 0, ended.stdout + ended.stderr
        if self.process:
            self.process.wait(20)

    def _end(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)
        self.process.wait(20)

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PODIUM_")}
        data = str(self.folder / "data")
        return {**kept, "PYTHONPATH": str(ROOT), "PODIUM_DATA_DIR": data, "PODIUM_PORT": str(self.port), **self.variables}

    def _read(self, process: subprocess.Popen[str], ready: threading.Event) -> None:
        assert process.stdout is not None
        with process.stdout as output:
            for line in output:
                self.lines.append(line.rstrip())
                if found := re.match(r"Podium is at (\S+:(\d+))", line):
                    self.url, self.port = found[1], int(found[2])
                if found := re.search(r"First administrator, .*: (\S+)", line):
                    self.link = found[1]
                if line.startswith(("Environments ", "How far environments ")):
                    ready.set()
        ready.set()


@contextmanager
def installed(folder: Path, variables: Mapping[str, str] | None = None) -> Iterator[Podium]:
    """A running Podium; everything of it has ended when the block has."""
    podium = Podium(folder, dict(variables or {}))
    podium.start()
    try:
        yield podium
    finally:
        podium.down()

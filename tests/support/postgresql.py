"""A PostgreSQL server for one test run, and a database of its own for each test.

Debian's package brings the programs but no server is expected to run, so each test process starts one in a temporary
folder, reachable by a Unix socket only. PostgreSQL refuses to run as root, so root starts it as the user `postgres`.
Nothing in it has to survive a power cut, so it never waits for the disk.
"""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import psycopg
from psycopg.sql import SQL, Composed, Identifier

MISSING = "PostgreSQL is not installed (Debian: apt-get install postgresql); the test ran on SQLite only"

_FAST = ("fsync=off", "full_page_writes=off", "synchronous_commit=off", "shared_buffers=32MB", "max_connections=200")


@dataclass
class Server:
    """A running server. `folder` holds its socket."""

    folder: Path
    process: subprocess.Popen[bytes]
    numbers: Iterator[int] = field(default_factory=count)

    def url(self, name: str) -> str:
        return f"postgresql+psycopg://podium@/{name}?host={self.folder}"

    def create(self, template: str = "template0") -> str:
        """A fresh database's name; a copy of `template`."""
        name = f"podium_{next(self.numbers)}"
        self._run(SQL("CREATE DATABASE {} TEMPLATE {}").format(Identifier(name), Identifier(template)))
        return name

    def drop(self, name: str) -> None:
        self._run(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))

    def answers(self) -> bool:
        try:
            self._run(SQL("SELECT 1"))
        except psycopg.OperationalError:
            return False
        return True

    def _run(self, statement: SQL | Composed) -> None:
        with psycopg.connect(host=str(self.folder), user="podium", dbname="postgres", autocommit=True) as connection:
            connection.execute(statement)


def programs() -> Path | None:
    """The folder of `initdb` and `postgres`, or None where the package is missing."""
    found = shutil.which("postgres")
    folders = [Path(found).parent] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in folders if (folder / "initdb").exists()), None)


@contextmanager
def running(bin_folder: Path) -> Iterator[Server]:
    """Start a server, and end it with its files."""
    folder = Path(tempfile.mkdtemp(prefix="podium-pg-"))
    try:
        process = _start(bin_folder, folder)
        try:
            server = Server(folder, process)
            _until_ready(server)
            yield server
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(30)
    finally:
        shutil.rmtree(folder)


def _start(bin_folder: Path, folder: Path) -> subprocess.Popen[bytes]:
    owner = _owner()
    if owner is not None:
        os.chown(folder, owner, -1)
    data = folder / "data"
    command = [
        str(bin_folder / "initdb"),
        "-D",
        str(data),
        "-U",
        "podium",
        "-A",
        "trust",
        "-E",
        "UTF8",
        "--no-sync",
        "--locale=C.UTF-8",
    ]
    subprocess.run(command, check=True, capture_output=True, user=owner, cwd=folder)
    options = [part for option in (*_FAST, "listen_addresses=", f"unix_socket_directories={folder}") for part in ("-c", option)]
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(
            [str(bin_folder / "postgres"), "-D", str(data), *options],
            stdout=log,
            stderr=log,
            user=owner,
            cwd=folder,
            start_new_session=True,
        )


def _owner() -> int | None:
    return pwd.getpwnam("postgres").pw_uid if os.geteuid() == 0 else None


def _until_ready(server: Server, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not server.answers():
        if server.process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError("PostgreSQL does not start:\n" + (server.folder / "log").read_text())

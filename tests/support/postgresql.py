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
from typing import Any

import psycopg
from psycopg.sql import SQL, Composed, Identifier

MISSING = "PostgreSQL is not installed (Debian: apt-get install postgresql); the test ran on SQLite only"

PORT = 5432
_FAST = ("fsync=off", "full_page_writes=off", "synchronous_commit=off", "shared_buffers=32MB", "max_connections=200")


@dataclass
class Server:
    """A running server. `folder` holds its socket."""

    folder: Path
    programs: Path
    process: subprocess.Popen[bytes]
    address: str = ""
    port: int = PORT
    numbers: Iterator[int] = field(default_factory=count)

    def crash(self) -> None:
        """Every connection is cut at once. What was committed is written before: this server does not wait for the disk."""
        self._run(SQL("CHECKPOINT"))
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait(30)

    def come_back(self) -> None:
        """Serve the same databases again, at the same address."""
        self.process = _serve(self.programs, self.folder, self.address, self.port)
        _until_ready(self)

    def url(self, name: str) -> str:
        return f"postgresql+psycopg://podium@/{name}?host={self.folder}&port={self.port}"

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

    def connection(self, name: str = "postgres") -> psycopg.Connection[tuple[Any, ...]]:
        """Of an administrator's, each statement a transaction of its own."""
        return psycopg.connect(host=str(self.folder), port=self.port, user="podium", dbname=name, autocommit=True)

    def _run(self, statement: SQL | Composed) -> None:
        with self.connection() as connection:
            connection.execute(statement)


def programs() -> Path | None:
    """The folder of `initdb` and `postgres`, or None where the package is missing."""
    found = shutil.which("postgres")
    folders = [Path(found).parent] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in folders if (folder / "initdb").exists()), None)


@contextmanager
def running(bin_folder: Path, address: str = "", port: int = PORT) -> Iterator[Server]:
    """Start a server, and end it with its files. It listens on `address` too, where one is given, at `port`."""
    folder = Path(tempfile.mkdtemp(prefix="podium-pg-"))
    try:
        _initialise(bin_folder, folder)
        if address:
            with (folder / "data" / "pg_hba.conf").open("a") as rules:
                rules.write("host all podium samenet trust\nhost all podium 10.0.0.0/8 trust\n")
        server = Server(folder, bin_folder, _serve(bin_folder, folder, address, port), address, port)
        try:
            _until_ready(server)
            yield server
        finally:
            server.process.send_signal(signal.SIGINT)
            server.process.wait(30)
    finally:
        shutil.rmtree(folder)


def _initialise(bin_folder: Path, folder: Path) -> None:
    owner = _owner()
    if owner is not None:
        os.chown(folder, owner, -1)
    options = ["-U", "podium", "-A", "trust", "-E", "UTF8", "--no-sync", "--locale=C.UTF-8"]
    command = [str(bin_folder / "initdb"), "-D", str(folder / "data"), *options]
    subprocess.run(command, check=True, capture_output=True, user=owner, cwd=folder)


def _serve(bin_folder: Path, folder: Path, address: str, port: int) -> subprocess.Popen[bytes]:
    options = [
        part
        for option in (*_FAST, f"listen_addresses={address}", f"port={port}", f"unix_socket_directories={folder}")
        for part in ("-c", option)
    ]
    with (folder / "log").open("ab") as log:
        return subprocess.Popen(
            [str(bin_folder / "postgres"), "-D", str(folder / "data"), *options],
            stdout=log,
            stderr=log,
            user=_owner(),
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

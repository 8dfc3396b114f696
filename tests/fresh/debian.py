"""A bare Debian in a folder, and commands in it as an ordinary user.

It holds what `debootstrap --variant=minbase` brings and what README.md asks for: Python, venv, make and git. It shares the
host's network, so a browser outside reaches what is served inside.

Where a machine reaches its package registries through a proxy that ends TLS, nothing can be installed in a fresh root until it
trusts that proxy, so the host's certificates and pip's configuration are copied in. On any other machine these files are
Debian's own and change nothing.
"""

import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

PACKAGES = "python3,python3-venv,make,git,ca-certificates"
USER = "researcher"
FROM_HOST = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pip.conf", "/etc/resolv.conf")

_MOUNT_AND_ENTER = """
mount --rbind /dev "$1/dev"; mount -t proc proc "$1/proc"; mount --rbind /sys "$1/sys"
exec chroot "$1" /usr/sbin/runuser -u "$2" -- /usr/bin/env -i HOME="/home/$2" USER="$2" LANG=C.UTF-8 TERM=dumb \
  PATH=/usr/local/bin:/usr/bin:/bin /bin/bash -c "$3"
"""


@dataclass(frozen=True)
class Debian:
    """`root` is the folder, seen from outside."""

    root: Path

    @property
    def home(self) -> Path:
        """The user's home, seen from inside."""
        return Path("/home") / USER

    def outside(self, path: Path) -> Path:
        return self.root / path.relative_to("/")

    def command(self, script: str) -> list[str]:
        """The command line that runs `script` in bash inside, as the ordinary user."""
        return ["unshare", "--mount", "bash", "-euc", _MOUNT_AND_ENTER, "bash", str(self.root), USER, script]

    def run(self, script: str) -> str:
        done = subprocess.run(self.command(script), check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            raise RuntimeError(f"{script}\n{done.stdout}")
        return done.stdout

    def processes(self) -> list[psutil.Process]:
        """Everything that runs inside."""
        return [process for process in psutil.process_iter() if self._holds(process.pid)]

    def _holds(self, pid: int) -> bool:
        try:
            return Path(f"/proc/{pid}/root").readlink() == self.root
        except OSError:
            return False


@contextmanager
def bare_debian() -> Iterator[Debian]:
    """Build it, and remove it with all that runs in it."""
    folder = Path(tempfile.mkdtemp(prefix="podium-fresh-")).resolve()
    debian = Debian(folder / "root")
    try:
        _bootstrap(debian.root)
        yield debian
    finally:
        for process in debian.processes():
            process.kill()
        psutil.wait_procs(debian.processes(), timeout=10)
        shutil.rmtree(folder)


def _bootstrap(root: Path) -> None:
    command = ["debootstrap", "--variant=minbase", f"--include={PACKAGES}", _release(), str(root), _mirror()]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    for name in FROM_HOST:
        if Path(name).exists():
            shutil.copyfile(name, root / name.lstrip("/"))
    subprocess.run(["chroot", str(root), "useradd", "--create-home", "--shell", "/bin/bash", USER], check=True)


def _release() -> str:
    found = re.search(r"^VERSION_CODENAME=(\w+)", Path("/etc/os-release").read_text(encoding="utf-8"), re.MULTILINE)
    return found[1] if found else "stable"


def _mirror() -> str:
    """Where this machine has its packages from."""
    lists = [Path("/etc/apt/sources.list"), *sorted(Path("/etc/apt/sources.list.d").glob("*"))]
    text = "\n".join(path.read_text(encoding="utf-8") for path in lists if path.is_file())
    found = re.search(r"^(?:URIs:|deb(?: \[[^\]]*\])?) *(https?://\S+)", text, re.MULTILINE)
    return found[1] if found else "http://deb.debian.org/debian"

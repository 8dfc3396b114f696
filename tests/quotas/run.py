"""`make test-quota`: the tests of quotas on a kernel that has them, where this machine's has none.

User-mode Linux is a kernel that runs as a program. It sees this machine's files, has devices and temporary folders of its own,
and mounts what the tests make.
"""

import ctypes
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from hub.settings import ROOT

KERNEL = "linux.uml"
MODULES = ("fs/quota/quota_tree", "fs/quota/quota_v2", "drivers/block/loop")
FOLDERS = (("proc", "/proc"), ("sysfs", "/sys"), ("tmpfs", "/run"), ("tmpfs", "/mnt"))
TESTS = ("-m", "pytest", "-q", "--color=no", "-p", "no:cacheprovider", "tests/quotas")
_FINIT_MODULE, _POWER_OFF = 313, 0x4321FEDC

libc = ctypes.CDLL(None, use_errno=True)


def main() -> int:
    """The tests' exit code."""
    kernel = shutil.which(KERNEL)
    if os.geteuid() != 0 or kernel is None:
        print("make test-quota needs root and user-mode Linux on x86-64 (Debian: apt-get install user-mode-linux).")  # noqa: T201
        return 1
    with TemporaryDirectory(prefix="podium-q-") as folder:
        code, first = Path(folder, "code"), Path(folder, "init")
        path = "/usr/sbin:/usr/bin:/sbin:/bin"
        command = f"{sys.executable} -m tests.quotas.run {code}"
        first.write_text(f"#!/bin/sh\ncd {ROOT} && exec env -i PATH={path} CI=true PYTHONDONTWRITEBYTECODE=1 {command}\n")
        first.chmod(0o700)
        _boot(kernel, first)
        return int(code.read_text()) if code.exists() else 1


def _boot(kernel: str, first: Path) -> None:
    """Returns when it has powered itself off."""
    whole = ("mem=2G", "rootfstype=hostfs", "rootflags=/", "rw", "con=null", "con0=null,fd:1", "quiet")
    subprocess.run([kernel, *whole, f"init={first}"], stdin=subprocess.DEVNULL, check=False)


def inside(code: Path) -> None:
    """The first process of that kernel."""
    try:
        _prepare()
        done = subprocess.run([sys.executable, *TESTS], env={**os.environ, "TMPDIR": "/mnt"}, check=False)
        code.write_text(str(done.returncode))
    finally:
        os.sync()
        libc.reboot(_POWER_OFF)


def _prepare() -> None:
    for kind, folder in FOLDERS:
        subprocess.run(["mount", "-t", kind, kind, folder], check=True)
    Path("/dev/shm").mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/dev/shm"], check=True)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    for name in MODULES:
        _load(Path("/usr/lib/uml/modules", platform.release(), "kernel", f"{name}.ko"))


def _load(module: Path) -> None:
    """One that is built in has no file."""
    if module.exists():
        with module.open("rb") as file:
            libc.syscall(_FINIT_MODULE, file.fileno(), b"", 0)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        inside(Path(sys.argv[1]))
    sys.exit(main())

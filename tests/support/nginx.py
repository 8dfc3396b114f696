"""NGINX in front of a whole Podium, set up as docs/operating/nginx.md says."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.ci import absent
from tests.support.leaks import keep
from tests.support.podium import Podium


@contextmanager
def nginx_in_front(podium: Podium, folder: Path, port: int) -> Iterator[None]:
    """The two commands of the page, on a port that is free."""
    program = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")
    if program is None:
        absent("NGINX is not installed; on Debian: apt-get install nginx-light")
    user = ("--user", "root") if os.getuid() == 0 else ()
    printed = podium.run("nginx", "--folder", str(folder / "nginx"), "--listen", f"127.0.0.1:{port}", *user)
    assert printed.returncode == 0, printed.stderr
    (folder / "podium-nginx.conf").write_text(printed.stdout)
    process = subprocess.Popen([program, "-c", folder / "podium-nginx.conf"], stderr=subprocess.DEVNULL)
    keep(process.pid)
    try:
        yield
    finally:
        process.terminate()
        process.wait(20)

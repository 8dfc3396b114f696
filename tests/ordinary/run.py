"""The second half of `make test` where root runs it: the main story and the attempts to get out of an environment as anybody.

An ordinary user is kept apart from the hub by other means than root's accounts. So a copy of the tree is given to the account
`daemon`, with a home and virtual environments of its own, and `make test-story` runs there.
"""

import os
import pwd
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from hub.settings import ROOT

_OF_ROOT = ("MAKE", "MFLAGS", "XDG_", "VIRTUAL_ENV")
"""How variables begin that tell of this account, or of the `make` that runs this."""
_ANOTHER_GROUP = 54321
"""As people have one."""
_PROGRAMS = "/usr/local/bin:/usr/bin:/bin:/usr/sbin"
_CHROMIUM = Path("/usr/bin/chromium")
"""The one that people have, not the smaller one that tests get by with."""


def main() -> int:
    """0 where all passed, and where this is no root: then `make test` has just done it."""
    if os.geteuid() != 0:
        return 0
    daemon = pwd.getpwnam("daemon")
    with TemporaryDirectory(prefix="podium-ordinary-") as name:
        home = Path(name)
        copy_of_the_tree(home / "podium")
        for path in (home, *home.rglob("*")):
            os.chown(path, daemon.pw_uid, daemon.pw_gid, follow_symlinks=False)
        sys.stdout.write("=== Once more as an ordinary user\n")
        sys.stdout.flush()
        command = ["make", "-C", str(home / "podium"), "test-story", f"PYTHON={interpreter(daemon)}"]
        return subprocess.call(
            command, env=environment(home), user=daemon.pw_uid, group=daemon.pw_gid, extra_groups=[_ANOTHER_GROUP]
        )


def copy_of_the_tree(target: Path) -> None:
    """All that is tracked, or new and not ignored."""
    listed = subprocess.check_output(["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"], cwd=ROOT)
    for path in filter(None, listed.decode().split("\0")):
        if (ROOT / path).exists():
            (target / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / path, target / path, follow_symlinks=False)


def interpreter(account: pwd.struct_passwd) -> str:
    """One that the account may run: root's own may lie in a folder of root's."""
    for python in (sys.base_prefix + "/bin/python3", "/usr/bin/python3"):
        try:
            subprocess.run([python, "-c", ""], user=account.pw_uid, group=account.pw_gid, extra_groups=(), cwd="/", check=True)
        except (OSError, subprocess.CalledProcessError):
            continue
        return python
    raise SystemExit("No Python is there that an ordinary user may run. On Debian: apt-get install python3-venv")


def environment(home: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_OF_ROOT)}
    browser = {"TEST_CHROMIUM": str(_CHROMIUM)} if _CHROMIUM.exists() else {}
    return {**kept, **browser, "HOME": str(home), "PATH": _PROGRAMS}


if __name__ == "__main__":
    sys.exit(main())

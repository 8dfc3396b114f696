"""`make test-fresh`: somebody who has only README.md and a bare Debian gets a working Podium.

The commands are read out of README.md and run as an ordinary user in a fresh root, in a checkout whose path is 150 characters
long (a Unix socket's path ends at 107). Then a browser outside goes through the whole story against that Podium.
"""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import psutil

from hub.settings import ROOT
from tests.fresh.debian import Debian, bare_debian
from tests.fresh.terminal import Terminal
from tests.house.readme import up_to_serving

PATH_LENGTH = 150
REPOSITORY = Path("/srv/podium.git")
INSTALL_SECONDS = 900
SECOND_START_SECONDS = 5


def main() -> int:
    """0 where everything went as README.md says."""
    if os.geteuid() != 0 or shutil.which("debootstrap") is None:
        say("make test-fresh needs root and debootstrap (Debian: apt-get install debootstrap).")
        return 1
    with bare_debian() as debian:
        say("A bare Debian is ready.")
        return story(debian)


def story(debian: Debian) -> int:
    """Install and serve, the browser's story, Ctrl-C, a second start, the end."""
    checkout = clone(debian)
    port = free_port()
    serving = Terminal.of(debian.command(script(checkout, port, up_to_serving())))
    took = serving.read_until("Podium is at ", INSTALL_SECONDS)
    serving.read_until("link=", INSTALL_SECONDS)
    say(f"README.md's commands served Podium after {took:.0f} s.")
    code = browse(serving.text)
    again(debian, checkout, port)
    for command in others():
        debian.run(script(checkout, port, [command]))
        say(f"README.md's {command!r} works.")
    left = environments(debian)
    serving.press_ctrl_c()
    serving.end()  # make itself is interrupted too, so its exit code says nothing about the hub
    expect("Environments left running" in serving.text, "after Ctrl-C the hub says what goes on")
    expect(bool(left) and environments(debian) == left, "environments go on after Ctrl-C")
    second_start(debian, checkout, port, left)
    return code


def others() -> list[str]:
    """The commands of README.md's other paragraphs that end by themselves."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    found = re.findall(r"`((?:make (?:help|doctor)|\.venv/bin/python -m hub user add \w+))`", text)
    expect(len(set(found)) == 3, f"README.md names its further commands: {found}")
    # The first administrator of the story has the name that README.md takes for somebody else.
    return [re.sub(r"(user add) \w+", r"\1 somebody-else", command) for command in dict.fromkeys(found)]


def environments(debian: Debian) -> set[int]:
    """The servers of environments that run inside."""
    records = debian.outside(debian.home).glob("*/podium/data/starts/*/supervisor.json")
    pids = {int(json.loads(record.read_text())["server"] or 0) for record in records}
    return {pid for pid in pids if pid and psutil.pid_exists(pid)}


def clone(debian: Debian) -> Path:
    """What is committed, as a bare repository inside, and a checkout with a long path unless README.md clones itself."""
    subprocess.run(["git", "clone", "--quiet", "--bare", str(ROOT), str(debian.outside(REPOSITORY))], check=True)
    debian.run(f"git config --global --add safe.directory {REPOSITORY}")
    folder = debian.home / ("a" * (PATH_LENGTH - len(str(debian.home)) - len("/") - len("/podium")))
    debian.run(f"mkdir {folder}")
    for line in up_to_serving():
        for url in re.findall(r"git clone (?:-\S+ )*(\S+)", line):
            debian.run(f"git config --global url.file://{REPOSITORY}.insteadOf {url}")
            return folder / "podium"
    debian.run(f"git clone --quiet file://{REPOSITORY} {folder / 'podium'}")
    return folder / "podium"


def script(checkout: Path, port: int | None, commands: list[str]) -> str:
    """The commands as a person types them, where a person would be."""
    start = checkout.parent if any("git clone" in line for line in commands) else checkout
    chosen = [f"export PODIUM_PORT={port}"] if port else []
    return "\n".join(["set -e", f"cd {start}", *chosen, *commands])


def free_port() -> int | None:
    """None where README.md's own port is free; another one on a machine where it is taken."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", 8501))
        except OSError:
            probe.bind(("127.0.0.1", 0))
            say(f"Port 8501 is taken on this machine; Podium gets {probe.getsockname()[1]}.")
            return int(probe.getsockname()[1])
    return None


def browse(output: str) -> int:
    """The browser story from outside; pytest's exit code."""
    url, link = re.findall(r"Podium is at (\S+)", output)[0], re.findall(r"(http\S+link=\S+)", output)[0]
    variables = {**os.environ, "TEST_PODIUM_URL": url, "TEST_PODIUM_LINK": link}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/browser/test_story.py"]
    return subprocess.run(command, cwd=ROOT, env=variables, check=False).returncode


def again(debian: Debian, checkout: Path, port: int | None) -> None:
    """A second `make up` beside the first one says so and ends with an error."""
    beside = Terminal.of(debian.command(script(checkout, port, ["make up"])))
    beside.read_until("already running", 30)
    expect(beside.end() != 0, "a second make up beside the first one ends with an error")


def second_start(debian: Debian, checkout: Path, port: int | None, left: set[int]) -> None:
    """It is quick, takes back what runs, and `make down` leaves nothing running."""
    second = Terminal.of(debian.command(script(checkout, port, ["make up"])))
    took = second.read_until("Podium is at ", 60)
    say(f"The second start took {took:.1f} s.")
    expect(took < SECOND_START_SECONDS, f"a second start is ready in under {SECOND_START_SECONDS} s")
    expect(environments(debian) == left, "a second start takes the same environments back")
    debian.run(script(checkout, port, ["make down"]))
    second.end()
    still = [" ".join(process.cmdline()) for process in debian.processes()]
    expect(not still, f"make down leaves nothing running: {still}")


def expect(holds: bool, what: str) -> None:  # noqa: FBT001 - reads like a sentence
    if not holds:
        raise SystemExit(f"Not so: {what}")


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())

"""What is read of processes, by supervisors and by the agent: all there are, however many and whatever happens meanwhile."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import PIPE

from environment.supervising import processes as below

from hub.settings import ROOT
from hub.spawners.local import processes
from hub.spawners.local.options import CODE
from tests.spawners.far_side import until
from tests.support.ci import absent
from tests.support.lesser import CONTAINER

MANY = 1100
"""Whose numbers fill more than one page."""
CROWD = f"""
import os, sys
for _ in range({MANY}):
    if os.fork() == 0:
        sys.stdin.read()
        os._exit(0)
print(flush=True)
sys.stdin.read()
"""
ENDING_THREADS = """
import os, signal, subprocess, sys, threading
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
def end_after(other):
    other.join() if other else signal.sigwait([signal.SIGUSR1])
def parent():
    with subprocess.Popen(["cat"]) as child:
        print(child.pid, flush=True)
one = None
for _ in range(500):
    one = threading.Thread(target=end_after, args=(one,))
    one.start()
threading.Thread(target=parent).start()
"""
"""Of many threads one after the other ends; the one behind them has a child."""
WITHOUT_ITS_FIRST_THREAD = """
import ctypes, sys, threading
def hold():
    held = b"x" * 50_000_000
    print(flush=True)
    sys.stdin.read()
threading.Thread(target=hold).start()
ctypes.CDLL(None).pthread_exit(None)
"""
LOOK = """
import ctypes, os, sys
from environment.supervising.account import become, looking_as
from environment.supervising.processes import proportional, resident
account = 2_000_000_001
reading, writing = os.pipe()
never, _ = os.pipe()
child = os.fork()
if child == 0:
    become(account)
    ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)
    os.write(writing, b".")
    os.read(never, 1)
os.read(reading, 1)
with looking_as(account):
    print(proportional([child]), resident([child]))
who = dict(line.split(":", 1) for line in open("/proc/self/status"))
print(proportional([child]), who["Uid"].split()[3], who["Gid"].split()[3], ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))
os.kill(child, 9)
"""
"""What is not shown of a process counts whole."""


@contextmanager
def running(program: str) -> Iterator[tuple[int, str]]:
    """Its number and what it said first. It and all that it starts end where their input does."""
    with subprocess.Popen([sys.executable, "-c", program], stdin=PIPE, stdout=PIPE, text=True) as process:
        assert process.stdout
        yield process.pid, process.stdout.readline().strip()


def threads(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/task").iterdir()))


def test_however_many_children_a_process_has_all_are_found() -> None:
    with running(CROWD) as (crowd, _):
        assert len(below.descendants(crowd)) == len(list(processes.descendants(crowd))) == MANY


def test_a_thread_that_ends_during_the_look_hides_no_child_of_another() -> None:
    with running(ENDING_THREADS) as (parent, child):
        os.kill(parent, signal.SIGUSR1)
        while threads(parent) > 2:
            assert below.descendants(parent) == list(processes.descendants(parent)) == [int(child)]


def test_a_process_whose_first_thread_has_ended_hides_no_memory() -> None:
    with running(WITHOUT_ITS_FIRST_THREAD) as (pid, _):
        until(lambda: Path(f"/proc/{pid}/statm").read_text().startswith("0 "))
        measured = below.resident([pid]), below.proportional([pid]), processes.memory_of([pid])
    assert min(measured) > 50_000_000


def test_root_with_few_rights_looks_into_an_account_s_process_and_is_itself_again() -> None:
    if os.geteuid() != 0:
        absent("Only root looks as somebody else")
    command = [sys.executable, "-m", "tests.support.lesser", *CONTAINER, "--", sys.executable, "-c", LOOK]
    told = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "PYTHONPATH": f"{ROOT}:{CODE}"}, capture_output=True, text=True, check=True
    )
    looked, resident, *after = map(int, told.stdout.split())
    assert 0 < looked < resident
    assert after == [resident, 0, 0, 1]

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

from hub.spawners.local import processes
from tests.spawners.far_side import until

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

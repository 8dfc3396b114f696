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
FAMILY = """
import mmap, os, subprocess, sys, threading
shared = mmap.mmap(-1, 30 * 2**20)
shared.write(bytes(len(shared)))
if os.fork() == 0:
    shared[::4096]
    sys.stdin.read()
    os._exit(0)
def parent():
    with subprocess.Popen(["cat"]):
        print(flush=True)
threading.Thread(target=parent).start()
"""
"""Two processes that share memory, and a child of a thread."""
LOOK = """
import ctypes, os
from environment.supervising.account import become, looking_as
from environment.supervising.processes import proportional, resident
from hub.spawners.local.as_owner import look_as
from hub.spawners.local.processes import memory_of
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
def tell(*more):
    who = dict(line.split(":", 1) for line in open("/proc/self/status"))
    ids = who["Uid"].split() + who["Gid"].split()
    print(*(measure([child]) < resident([child]) for measure in (proportional, memory_of)), *ids, *more, flush=True)
with looking_as(account):
    tell()
tell(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))
if os.fork() == 0:
    look_as(account)
    tell()
else:
    os.wait()
    os.kill(child, 9)
"""
"""What is not shown of a process counts whole. At last it is the agent's way to look."""


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


def test_supervisors_and_the_agent_read_the_same_of_the_same_processes() -> None:
    assert below._MACHINE == processes._MACHINE
    with running(FAMILY) as (parent, _):
        family = [parent, *below.descendants(parent)]
        assert len(family) == 3
        assert {parent, *processes.descendants(parent)} == set(family)
        for pid in family:
            assert below.start_time(pid) == processes.start_time(pid)
            until(lambda pid=pid: below._resident(pid) == processes._resident(pid) > 0)  # type: ignore[misc]
            until(lambda pid=pid: below.proportional([pid]) == processes.memory_of([pid]) > 0)  # type: ignore[misc]
        assert below.proportional(family) < below.resident(family) - 30 * 2**20


def test_root_with_few_rights_looks_into_an_account_s_process_and_a_supervisor_is_itself_again() -> None:
    if os.geteuid() != 0:
        absent("Only root looks as somebody else")
    command = [sys.executable, "-m", "tests.support.lesser", *CONTAINER, "--", sys.executable, "-c", LOOK]
    told = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "PYTHONPATH": f"{ROOT}:{CODE}"}, capture_output=True, text=True, check=True
    )
    as_account = f"True True {'0 0 0 2000000001 ' * 2}".split()
    of_supervisor, after, of_agent = (line.split() for line in told.stdout.splitlines())
    assert (of_supervisor, of_agent) == (as_account, as_account)
    assert after == f"False False {'0 0 0 0 ' * 2}1".split()

"""What an environment could leave, or take past its limits: Podium's open files, its log, shared memory, namespaces, names."""

import os
import signal
from collections.abc import Iterator

import pytest

from tests.isolation.machines import MACHINES, Machine
from tests.spawners.far_side import MIB, ended, ready, until
from tests.spawners.local_side import LocalFarSide

NAMELESS = "import ctypes; ctypes.CDLL(None).prctl(15, b'\\xff\\xfe) \\xff', 0, 0, 0)"
HOARD_NAMESPACES = """
import ctypes, os
libc, held = ctypes.CDLL(None), []
while len(held) < 500:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, b'y' if libc.unshare(0x10000000) == 0 else b'n')
        os.close(writing)
        import time; time.sleep(30); os._exit(0)
    made = os.read(reading, 1) == b'y'
    if made: held.append(os.open(f'/proc/{child}/ns/user', os.O_RDONLY))
    os.kill(child, 9); os.waitpid(child, 0); os.close(reading); os.close(writing)
    if not made: break
result = len(held)
"""
"""Each stays as long as it is held open."""
RESERVE = """
import ctypes, os
print('printed', flush=True)
libc = ctypes.CDLL(None, use_errno=True)
failed = libc.fallocate(1, 1, ctypes.c_long(0), ctypes.c_long(2**26))
result = os.strerror(ctypes.get_errno()) if failed else 'reserved'
"""
"""Behind the end of the log, whose size stays as it is: not every file system can."""
NO_LONGER_APPEND = "import fcntl, os; fcntl.fcntl(1, fcntl.F_SETFL, 0); os.write(1, b'x' * 6_000_000)"


@pytest.fixture(scope="module", params=MACHINES, ids=lambda machine: machine.name)
def on_a_machine(request: pytest.FixtureRequest) -> Iterator[tuple[LocalFarSide, Machine]]:
    machine: Machine = request.param
    with machine.folder() as (folder, options):
        far = LocalFarSide(folder / "data", lesser=machine.lesser, **options)
        yield far, machine
        far.close()


@pytest.fixture
def far(on_a_machine: tuple[LocalFarSide, Machine]) -> LocalFarSide:
    return on_a_machine[0]


@pytest.mark.case("A9-9")
def test_it_has_nothing_open_of_podium_s_but_its_output_and_its_socket(far: LocalFarSide) -> None:
    spec = far.spec()
    ready(far, spec)
    look = """
import os
result = ''
for name in os.listdir('/proc/self/fd'):
    try: result += os.readlink(f'/proc/self/fd/{name}') + ' '
    except FileNotFoundError: pass
"""
    opened = [name for name in far.run(spec.start_id, look).split() if not name.startswith(("socket:", "/dev/null"))]
    assert set(opened) == {str(far.folders.start(spec.start_id).log)}


@pytest.mark.case("A9-9")
def test_a_name_that_is_no_text_hinders_neither_the_agent_nor_a_neighbour_s_end(far: LocalFarSide) -> None:
    nameless, neighbour = far.spec(), far.spec()
    for spec in (nameless, neighbour):
        ready(far, spec)
    far.run(nameless.start_id, NAMELESS)
    assert {nameless.start_id, neighbour.start_id} <= {usage.start_id for usage in far.spawner.usage()}
    os.kill(far.supervisor(neighbour.start_id)["pid"], signal.SIGKILL)
    ended(far, neighbour.start_id)


def test_a_log_is_cut_also_where_it_grows_at_the_very_end(far: LocalFarSide) -> None:
    spec = far.spec()
    ready(far, spec)
    grow = "lambda: (os.posix_fallocate(1, 0, 2**26), os._exit(0))"
    far.run(spec.start_id, f"import os, threading; threading.Timer(0.2, {grow}).start()")
    ended(far, spec.start_id)
    assert far.folders.start(spec.start_id).log.stat().st_size < 5 * MIB


def test_what_it_reserves_behind_the_end_of_its_log_is_given_back_and_what_it_printed_stays(far: LocalFarSide) -> None:
    spec = far.spec()
    ready(far, spec)
    assert far.run(spec.start_id, RESERVE) in {"reserved", "Operation not supported"}
    until(lambda: far.folders.start(spec.start_id).log.stat().st_blocks * 512 < 5 * MIB)
    until(lambda: far.spawner.log(spec.start_id, 1) == "printed\n")


def test_a_log_is_cut_also_where_an_environment_no_longer_appends_to_it(far: LocalFarSide) -> None:
    spec = far.spec()
    ready(far, spec)
    far.run(spec.start_id, NO_LONGER_APPEND)
    until(lambda: 0 < far.folders.start(spec.start_id).log.stat().st_size < 5 * MIB)


def test_shared_memory_is_its_own_has_an_end_and_goes_with_it(on_a_machine: tuple[LocalFarSide, Machine]) -> None:
    far, machine = on_a_machine
    spec, neighbour = far.spec(memory=64 * MIB), far.spec()
    for one in (spec, neighbour):
        ready(far, one)
    write = """
import os
try:
    with open('/dev/shm/podium-test', 'wb') as file: file.write(bytes(2**27))
    result = 'no limit'
except OSError as error:
    result = error.strerror
os.truncate('/dev/shm/podium-test', 10)
"""
    told = far.run(spec.start_id, write)
    seen = far.run(neighbour.start_id, "import os; result = os.path.exists('/dev/shm/podium-test')")
    far.run(spec.start_id, "import os; os.unlink('/dev/shm/podium-test')")
    assert (told, seen) == (("No space left on device", "False") if machine.hides_paths else ("no limit", "True"))


def test_it_takes_no_namespaces_from_those_who_share_its_account(far: LocalFarSide) -> None:
    """Where its account is its own, it shares none of what the kernel counts."""
    spec = far.spec()
    ready(far, spec)
    held = int(far.run(spec.start_id, HOARD_NAMESPACES))
    assert held <= 32 or os.geteuid() == 0
    ready(far, far.spec())

"""Code that takes all that it can get: it is ended with the limit's name, and a neighbour works on."""

from collections.abc import Iterator

import pytest

from hub.spawners.base import Ending, StartSpec
from tests.isolation.machines import MACHINES
from tests.spawners.far_side import MIB, ended, ready
from tests.spawners.local_side import LocalFarSide

MOST = 3_000
"""A bomb of the tests has an end."""
BOMB = f"""
import os, sys, time
def fork(left):
    while left > 1:
        half = left // 2
        if os.fork() == 0: left = half
        else: left -= half
    time.sleep(60)
if os.fork() == 0:
    try: fork({MOST})
    finally: os._exit(0)
"""
HOARD = (
    "import sys, threading; threading.Thread(target=lambda: sys.modules.update(x=[b'x' * 2**26 for _ in range(160)])).start()"
)
"""10 GB, in parts."""
FILES = """
import threading
def write():
    for number in range(50_000):
        open(f'{number % 100}-{number}', 'w').close()
threading.Thread(target=write, daemon=True).start()
"""
OPEN = """
files = []
try:
    while len(files) < 200_000: files.append(open('/dev/null'))
    result = 'no limit'
except OSError as error: result = error.strerror
files.clear()
"""
LIMITED = [
    ("processes", BOMB, Ending.TOO_MANY_PROCESSES, "It started more than 64"),
    ("memory", HOARD, Ending.OUT_OF_MEMORY, "its limit is"),
]


@pytest.fixture(scope="module", params=MACHINES[:1], ids=lambda machine: machine.name)
def far(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalFarSide]:
    one = LocalFarSide(tmp_path_factory.mktemp("greed"), lesser=request.param.lesser)
    yield one
    one.close()


@pytest.fixture(scope="module")
def neighbour(far: LocalFarSide) -> StartSpec:
    spec = far.spec()
    ready(far, spec)
    return spec


@pytest.mark.parametrize(("what", "code", "why", "words"), LIMITED, ids=[name for name, *_ in LIMITED])
def test_what_takes_too_much_is_ended_with_the_limit_s_name_and_a_neighbour_works_on(
    far: LocalFarSide, neighbour: StartSpec, what: str, code: str, why: Ending, words: str
) -> None:
    spec = far.spec(memory=512 * MIB)
    ready(far, spec)
    far.run(spec.start_id, code)
    assert far.run(neighbour.start_id, "result = 6") == "6"
    exit_ = ended(far, spec.start_id).exit
    assert exit_
    assert (exit_.why, words in exit_.detail) == (why, True), what
    assert far.processes(spec.start_id) == 0
    assert far.run(neighbour.start_id, "result = 6") == "6"


def test_beside_one_who_writes_files_without_end_a_neighbour_works_on(far: LocalFarSide, neighbour: StartSpec) -> None:
    spec = far.spec()
    ready(far, spec)
    far.run(spec.start_id, FILES)
    for _ in range(20):
        assert far.run(neighbour.start_id, "open('mine', 'w').write('6'); result = open('mine').read()") == "6"
    far.spawner.stop(spec.start_id)
    ended(far, spec.start_id)


def test_open_files_have_a_limit(far: LocalFarSide, neighbour: StartSpec) -> None:
    assert far.run(neighbour.start_id, OPEN) == "Too many open files"

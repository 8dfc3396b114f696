"""What a database with 50,000 people and 10,000 open sessions costs: at a start, on a page, and when a proxy asks."""

import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from statistics import median

from sqlalchemy import insert

from hub import services as composition
from hub.clock import new_id, now
from hub.database import Database
from hub.datafolder import prepare
from hub.environments.launching import LaunchOrder
from hub.environments.model import Phase
from hub.far_side import FarSide
from hub.identity.cookies import cookie_name
from hub.identity.model import LoginSession, User
from hub.identity.roles import Role
from hub.identity.tokens import digest, new_token
from hub.migrate import migrate
from hub.services import Services
from hub.settings import ROOT, Settings
from tests.bench.figures import Figure
from tests.bench.ground import connect_streamlit, entry_cookie
from tests.identity.conftest import served
from tests.identity.serve import USUAL
from tests.support.memory_spawner import MemorySpawner
from tests.support.podium import Podium, installed
from tests.support.script_run import run, text

PEOPLE = 50_000
SESSIONS = 10_000
VISITORS = 500
CONNECTIONS = 16
SECONDS = 6
ROUNDS = 9
_LIFETIME = timedelta(hours=8)


def start_and_users_page(folder: Path) -> list[Figure]:
    """A start of the hub, and the page *Users* for an administrator, each beside the same with hardly anybody."""
    folder.mkdir(parents=True)
    with installed(folder) as podium:
        database = Database(f"sqlite:///{folder / 'data' / 'podium.db'}")
        token = _administrator(database)
        small = _started(podium), *_users_page(podium, token, 2)
        gather(database)
        large = _started(podium), *_users_page(podium, token, PEOPLE + 2)
        database.close()
    names = (f"start with {PEOPLE:,} users", "page Users with them, server time", "search on that page, server time")
    limits = (5, 0.3, 0.3)
    return [
        Figure(name, value, "s", before, "with two users", limit=limit)
        for name, value, before, limit in zip(names, large, small, limits, strict=True)
    ]


def gather(database: Database) -> list[str]:
    """The people and their sessions; the sessions' tokens."""
    people = [{"id": new_id(), "name": f"person{n:05}", "display_name": f"Person {n}"} for n in range(PEOPLE)]
    tokens = [new_token() for _ in range(SESSIONS)]
    defaults = {"role": Role.USER, "email": None}
    until = now() + _LIFETIME
    opened = [
        {"id": new_id(), "token_hash": digest(token), "user_id": one["id"], "expires_at": until}
        for token, one in zip(tokens, people, strict=False)
    ]
    with database.writing("bench crowd") as session:
        session.execute(insert(User), [{**one, **defaults} for one in people])
        session.execute(insert(LoginSession), opened)
    return tokens


def _administrator(database: Database) -> str:
    root, token = User(name="root", display_name="Root", role=Role.ADMINISTRATOR), new_token()
    with database.writing("bench administrator") as session:
        session.add(root)
        session.flush()
        session.add(LoginSession(token_hash=digest(token), user_id=root.id, expires_at=now() + _LIFETIME))
    return token


def _started(podium: Podium) -> float:
    podium.stop()
    began = time.monotonic()
    podium.start()
    return time.monotonic() - began


def _users_page(podium: Podium, token: str, people: int) -> tuple[float, float]:
    """Seconds from asking for the page, plain and with something to look for, until its script has ended."""
    cookie = {"Cookie": f"{cookie_name(Settings(port=podium.port), 'session')}={token}"}

    def timed(query: str, found: str) -> float:
        with connect_streamlit(f"ws://localhost:{podium.port}/_stcore/stream", podium.port, cookie, podium.url) as page:
            began = time.monotonic()
            shown = run(page, "users", query)
            took = time.monotonic() - began
        assert f'body: "{found}"' in text(shown)
        return took

    plain, search = ("", f"{people} people"), ("users.q=root", "1 person")
    timed(*plain)
    return median(timed(*plain) for _ in range(ROUNDS)), median(timed(*search) for _ in range(ROUNDS))


def authorize_rate(folder: Path) -> Figure:
    """Decisions each second, evenly for 500 of 10,000 sessions, beside an application that answers without looking."""
    (folder / "hub").mkdir(parents=True)
    database = Database(f"sqlite:///{folder / 'template.db'}")
    migrate(database, folder)
    tokens = gather(database)
    database.close()
    with served(folder / "hub", folder / "template.db") as hub:
        url, secret = f"sqlite:///{folder / 'hub' / 'podium.db'}", USUAL["secret_key"]
        settings = Settings(data_dir=folder / "hub", database_url=url, port=hub.port, secret_key=secret)
        services = composition.build(settings, prepare(folder / "hub"), hub.database, FarSide("local", MemorySpawner(), str))
        script = _wrk_script(folder, services, _visits(services, tokens[:VISITORS]))
        ours = _rate(hub.port, script)
    with _bare() as port:
        theirs = _rate(port, script)
    return Figure("answers to a proxy, 10,000 sessions", ours, "requests/s", theirs, "bare ASGI answer", at_least_ratio=1 / 5)


@dataclass(frozen=True)
class _Visit:
    slug: str
    entry: str


def _visits(services: Services, tokens: list[str]) -> list[_Visit]:
    """For each of these sessions: an environment of its person's, and the cookie with which the browser enters it."""
    people = [person for person in map(services.sessions.resolve, tokens) if person]
    views = [services.environments.launch(person, LaunchOrder("bench", "Light")) for person in people]
    deadline = time.monotonic() + 120
    for person, view in zip(people, views, strict=True):
        while services.environments.get(person, view.id).phase is not Phase.RUNNING:
            assert time.monotonic() < deadline, "they do not all run in time"
            time.sleep(0.1)
    return [_Visit(view.slug, entry_cookie(services, person, view)) for person, view in zip(people, views, strict=True)]


def _wrk_script(folder: Path, services: Services, visits: list[_Visit]) -> Path:
    """Asks for one visitor after the other."""
    cookie = cookie_name(services.settings, "entry")
    requests = ",\n".join(
        f'wrk.format("GET", "/routing/authorize", {{["X-Podium-Cluster"]="local", ["Authorization"]="Bearer '
        f'{services.credential}", ["X-Podium-Environment"]="{visit.slug}", ["Cookie"]="{cookie}={visit.entry}"}})'
        for visit in visits
    )
    script = folder / "authorize.lua"
    script.write_text(
        f"local all, next = nil, 0\nfunction init(args)\nall = {{\n{requests}\n}}\nend\n"
        "function request()\nnext = next % #all + 1\nreturn all[next]\nend\n"
    )
    return script


def _rate(port: int, script: Path) -> float:
    wrk = shutil.which("wrk")
    if wrk is None:
        sys.exit("This figure needs wrk. On Debian and Ubuntu: apt-get install wrk")
    command = [wrk, "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", "-s", str(script), f"http://127.0.0.1:{port}"]
    said = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout
    assert "Non-2xx" not in said, said
    assert "Socket errors" not in said, said
    found = re.search(r"Requests/sec:\s+([\d.]+)", said)
    assert found, said
    return float(found[1])


@contextmanager
def _bare() -> Iterator[int]:
    """Uvicorn with an application of one line, in a process of its own."""
    command = [sys.executable, "-m", "tests.bench.bare"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        yield int(process.stdout.readline())
        process.terminate()

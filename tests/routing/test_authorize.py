"""The decision that NGINX asks for: for its proxies only, and never older than it may be."""

import threading
from collections.abc import Collection, Iterator

import httpx
import jwt
import pytest
from sqlmodel import Session, select

from hub.clusters.model import Cluster
from hub.environments.model import Environment, Phase
from hub.identity.cookies import cookie_name
from hub.identity.person import Person
from hub.identity.tokens import digest
from hub.routing import revocation
from hub.routing.decisions import KEPT, Allowed, Decision, Decisions, Denied, Door, Key
from hub.routing.entry import HubSessions
from hub.settings import Settings
from tests.routing.serving import listener, serving
from tests.routing.world import CREDENTIAL, World

ASKING = {"X-Podium-Cluster": "local", "Authorization": f"Bearer {CREDENTIAL}", "X-Podium-Environment": "calm-heron"}


@pytest.fixture
def world(database_url: str) -> Iterator[World]:
    world = World.build(Settings.model_validate({"port": 8501, "routing": "path"}), database_url)
    world.environment("calm-heron", "alice", "unix:/some/socket")
    yield world
    world.close()


@pytest.fixture
def hub(world: World) -> Iterator[httpx.Client]:
    bound = listener()
    with (
        serving(world.app, bound),
        httpx.Client(base_url=f"http://127.0.0.1:{bound.getsockname()[1]}", trust_env=False) as client,
    ):
        yield client


def _cookie(world: World, name: str = "alice") -> dict[str, str]:
    return {"Cookie": f"{cookie_name(world.settings, 'session')}={world.login(name)[0]}"}


def test_a_proxy_learns_where_to_go_and_gets_an_assertion(world: World, hub: httpx.Client) -> None:
    answer = hub.get("/routing/authorize", headers={**ASKING, **_cookie(world)})
    assert answer.status_code == 200
    assert answer.headers["x-podium-decision"] == "allow"
    assert answer.headers["x-podium-upstream"] == "unix:/some/socket"
    token = answer.headers["x-podium-assertion"]
    claims = jwt.decode(token, options={"verify_signature": False})
    view = world.view("calm-heron")
    assert claims["aud"] == view.start_id
    assert claims["exp"] - claims["iat"] <= 60
    assert jwt.get_unverified_header(token) == {"alg": "ES256", "kid": view.key_id, "typ": "podium-assertion+jwt"}


@pytest.mark.case("CVE-2026-34457")
@pytest.mark.parametrize(
    "changed",
    [
        {"Authorization": "Bearer wrong"},
        {"Authorization": CREDENTIAL},
        {"Authorization": ""},
        {"X-Podium-Cluster": "other"},
        {"X-Podium-Cluster": ""},
        {"Authorization": "", "User-Agent": "kube-probe/1.30"},
        {"Authorization": "", "User-Agent": "GoogleHC/1.0"},
        {"Authorization": "", "User-Agent": "ELB-HealthChecker/2.0"},
    ],
    ids=str,
)
def test_everyone_else_finds_nothing_there(world: World, hub: httpx.Client, changed: dict[str, str]) -> None:
    answer = hub.get("/routing/authorize", headers={**ASKING, **_cookie(world), **changed})
    assert answer.status_code == 404
    assert "x-podium-assertion" not in answer.headers


@pytest.mark.parametrize("phase", [Phase.RUNNING, Phase.STOPPED])
def test_a_proxy_learns_nothing_of_environments_on_another_cluster(world: World, hub: httpx.Client, phase: Phase) -> None:
    with world.database.writing("another cluster") as session:
        session.add(Cluster(id="far", kind="kubernetes", environments_domain="far.example", credential_hash=digest("far")))
        found = session.exec(select(Environment).where(Environment.slug == "calm-heron")).one()
        found.cluster_id, found.phase = "far", phase
    own = hub.get("/routing/authorize", headers={**ASKING, **_cookie(world)})
    assert (own.status_code, own.headers["x-podium-reason"]) == (403, "unknown")
    assert "x-podium-assertion" not in own.headers
    far = {"X-Podium-Cluster": "far", "Authorization": "Bearer far"}
    theirs = hub.get("/routing/authorize", headers={**ASKING, **_cookie(world), **far})
    assert theirs.status_code == (200 if phase is Phase.RUNNING else 403)
    assert theirs.headers.get("x-podium-reason") != "unknown"


def test_logging_in_would_help_is_401_and_all_else_403(world: World, hub: httpx.Client) -> None:
    assert hub.get("/routing/authorize", headers=ASKING).status_code == 401
    theirs = hub.get("/routing/authorize", headers={**ASKING, **_cookie(world, "bob")})
    unknown = hub.get("/routing/authorize", headers={**ASKING, **_cookie(world), "X-Podium-Environment": "nobody"})
    hostile = hub.get("/routing/authorize", headers={**ASKING, **_cookie(world), "X-Podium-Environment": "../x"})
    for answer in (theirs, unknown, hostile):
        assert (answer.status_code, answer.headers["x-podium-reason"], answer.headers["x-podium-decision"]) == (
            403,
            "unknown",
            "deny",
        )


def test_while_the_database_is_silent_it_says_so(world: World, hub: httpx.Client) -> None:
    cookie = _cookie(world)
    world.database.silent = True
    assert hub.get("/routing/authorize", headers={**ASKING, **cookie}).status_code == 503


def _decided(decisions: Decisions, token: str) -> Decision:
    key = ("calm-heron", token)
    return decisions.decide_all([key])[key]


def _entered(world: World) -> tuple[Decisions, str, Person]:
    token, person = world.login("alice")
    assert isinstance(_decided(world.routing.decisions, token), Allowed)
    return world.routing.decisions, token, person


def test_an_answer_is_used_again_and_dropped_at_once_when_its_session_ends(world: World) -> None:
    decisions, token, person = _entered(world)
    assert decisions.recent("calm-heron", token) is not None
    world.sessions.end(person.session_id, "logout")
    assert decisions.recent("calm-heron", token) is None
    assert decisions.last("calm-heron", token) is None
    assert _decided(decisions, token) == Denied(Door.LOGIN)


def test_an_answer_belongs_to_its_environment_and_cookie(world: World) -> None:
    decisions, token, _ = _entered(world)
    assert decisions.recent("other", token) is None
    assert decisions.recent("calm-heron", token + "x") is None
    assert KEPT <= 2


def test_an_end_that_is_rolled_back_is_not_told(world: World) -> None:
    _, person = world.login("alice")
    heard: list[object] = []
    revocation.listeners.append(heard.append)
    with Session(world.database.engine) as session:
        revocation.write(session, [person.session_id], person.user_id)
        session.rollback()
    revocation.listeners.remove(heard.append)
    assert heard == []


def test_an_answer_that_was_on_its_way_while_the_session_ended_is_not_kept(world: World) -> None:
    """The decision is read before the end is committed and would be stored after it."""
    token, person = world.login("alice")
    read, ended = threading.Event(), threading.Event()

    class Slow:
        def people(self, keys: Collection[Key]) -> dict[Key, Person]:
            found = HubSessions(world.sessions).people(keys)
            read.set()
            assert ended.wait(10)
            return found

    decisions = Decisions(world.environments, Slow(), world.keys)
    revocation.listeners.append(decisions.forget)
    thread = threading.Thread(target=_decided, args=(decisions, token))
    thread.start()
    assert read.wait(10)
    world.sessions.end(person.session_id, "logout")
    ended.set()
    thread.join()
    revocation.listeners.remove(decisions.forget)
    assert decisions.recent("calm-heron", token) is None

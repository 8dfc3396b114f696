"""When the hub or its database is away: what runs goes on, with the last answer, until its assertion ends."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from tests.routing.conftest import peopled, settings_for
from tests.routing.front import BROWSER, Front, Visitor
from tests.routing.serving import PATIENCE, free_port, listener, nginx, serving, until
from tests.routing.world import CREDENTIAL, World


def test_while_the_database_is_silent_the_last_answer_counts_until_its_assertion_ends(own_front: Front) -> None:
    """The session ends in a few seconds here, and no assertion outlives its session."""
    front = own_front
    visitor = Visitor(*front.world.login("alice", timedelta(seconds=6)))
    cookie = front.cookie(visitor, "grave-lynx")
    assert front.get("grave-lynx", "/echo", cookie=cookie).status_code == 200
    front.world.database.silent = True
    ends = visitor.person.session_ends.timestamp()
    while time.time() < ends - 1.5:
        assert front.get("grave-lynx", "/echo", cookie=cookie).status_code == 200
    until(lambda: front.get("grave-lynx", "/echo", cookie=cookie).status_code == 503)
    assert time.time() <= ends + 2
    page = front.get("grave-lynx", "/echo", cookie=cookie, headers=BROWSER)
    assert page.status_code == 503
    assert "Podium does not answer just now" in page.text


def test_whoever_has_no_answer_yet_sees_podiums_own_page(own_front: Front) -> None:
    cookie = own_front.cookie(own_front.alice, "calm-heron")
    own_front.world.database.silent = True
    page = own_front.get("calm-heron", "/", cookie=cookie, headers=BROWSER)
    assert page.status_code == 503
    assert "nothing is lost" in page.text
    own_front.world.database.silent = False
    assert own_front.get("calm-heron", "/echo", cookie=cookie).status_code == 200


def test_a_logged_out_person_does_not_come_back_while_the_database_is_silent(own_front: Front) -> None:
    front = own_front
    cookie = front.cookie(front.alice, "calm-heron")
    assert front.get("calm-heron", "/echo", cookie=cookie).status_code == 200
    front.world.sessions.end(front.alice.person.session_id, "logout")
    until(lambda: front.get("calm-heron", "/echo", cookie=cookie).status_code == 401, 5)
    front.world.database.silent = True
    started = time.monotonic()
    while time.monotonic() - started < 1.5:
        assert front.get("calm-heron", "/echo", cookie=cookie).status_code in {401, 503}


@pytest.mark.parametrize("routing", ["host", "path"])
def test_nginx_goes_on_without_the_hub_and_keeps_sockets_open(
    routing: str, template: Path, sockets_folder: Path, tmp_path: Path
) -> None:
    with _mortal(routing, template, sockets_folder, tmp_path) as (front, hub):
        cookie = front.cookie(front.alice, "calm-heron")
        assert front.get("calm-heron", "/echo", cookie=cookie).status_code == 200
        with front.socket("calm-heron", cookie=cookie) as connection:
            hub.close()
            connection.send("still here")
            assert connection.recv() == "still here"
        assert front.get("calm-heron", "/echo", cookie=cookie).status_code == 200
        page = front.get("calm-heron", "/", headers=BROWSER)
        assert page.status_code == 503
        assert "Podium is restarting" in page.text
        assert page.headers["x-podium-door"] == "away"
        assert "Podium is restarting" in front.hub("/environments").text


@contextmanager
def _mortal(routing: str, template: Path, sockets: Path, folder: Path) -> Iterator[tuple[Front, ExitStack]]:
    """NGINX in front of a hub that can be ended within the block."""
    database = folder / "podium.db"
    database.write_bytes(template.read_bytes())
    bound = listener()
    port = int(bound.getsockname()[1])
    with ExitStack() as stack, ExitStack() as hub:
        world = World.build(settings_for(routing, free_port()), f"sqlite:///{database}")
        stack.callback(world.close)
        hub.enter_context(serving(world.app, bound))
        ngx, pid = stack.enter_context(nginx(world.settings, folder / "nginx", CREDENTIAL, f"127.0.0.1:{port}"))
        yield peopled(stack, world, sockets, "nginx", ngx, (pid,)), hub


@pytest.fixture(scope="module")
def bare_streamlit(sockets_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The socket of a Streamlit that knows nothing of Podium."""
    folder, socket = tmp_path_factory.mktemp("bare"), sockets_folder / "bare"
    (folder / "page.py").write_text("import streamlit as st\nst.write('bare')\n")
    (folder / "bare.py").write_text("import streamlit as st\napp = st.App('page.py')\n")
    command = [sys.executable, "-m", "uvicorn", "bare:app", "--uds", str(socket), "--log-level", "warning"]
    with (folder / "bare.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
    try:
        until(socket.exists, 60)
        with httpx.Client(transport=httpx.HTTPTransport(uds=str(socket)), base_url="http://bare", timeout=30) as client:
            assert client.get("/routing/authorize").status_code == 200
        yield socket
    finally:
        process.terminate()
        process.wait(PATIENCE)


@pytest.mark.case("A3-9")
@pytest.mark.parametrize("routing", ["host", "path"])
def test_nginx_refuses_where_a_bare_streamlit_answers_the_question(routing: str, bare_streamlit: Path, tmp_path: Path) -> None:
    """Streamlit answers unknown paths with 200, and `auth_request` takes any 2xx for a yes."""
    settings = settings_for(routing, free_port())
    with nginx(settings, tmp_path / "nginx", CREDENTIAL, f"unix:{bare_streamlit}") as (port, _):
        host = f"calm-heron.localhost:{port}" if routing == "host" else f"localhost:{port}"
        prefix = "" if routing == "host" else "/user/calm-heron"
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers={"Host": host}, trust_env=False, timeout=30) as client:
            for path in ("/", "/echo", "/_stcore/health"):
                answer = client.get(prefix + path)
                assert answer.status_code == 503
                assert answer.headers["x-podium-door"] == "away"

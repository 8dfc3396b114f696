"""The database goes away, is slow, or takes no writes: a clear refusal meanwhile, and all is as before without a restart."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from sqlmodel import col, update

from hub.database import BUSY_SECONDS, FURTHER_CONNECTIONS, KEPT_CONNECTIONS, Database
from hub.errors import DatabaseSilent
from hub.identity.model import User
from hub.migrate import migrate
from tests.api.conftest import calling, token_of
from tests.identity.conftest import Hub, browse, eventually, register, served_on
from tests.support import leaks, postgresql
from tests.support.databases import serving

HERD = 200


@pytest.fixture(scope="module")
def server() -> Iterator[postgresql.Server]:
    """One that may be ended, so not the one that other tests use."""
    with serving() as server:
        yield server


@pytest.fixture(scope="module")
def name(server: postgresql.Server, tmp_path_factory: pytest.TempPathFactory) -> str:
    name = server.create()
    database = Database(server.url(name))
    migrate(database, tmp_path_factory.mktemp("backups"))
    database.close()
    return name


@pytest.fixture(scope="module")
def hub(server: postgresql.Server, name: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    with served_on(tmp_path_factory.mktemp("hub"), server.url(name), max_user_pods=50) as hub:
        register(hub.identity, "ada")
        yield hub


@pytest.fixture
def ada(hub: Hub) -> Iterator[httpx.Client]:
    """A program of hers. It has worked already, so that the hub's connections are open."""
    with calling(hub, token_of(hub, "ada")) as program:
        assert program.get("/me").status_code == 200
        yield program


def is_silent(answer: httpx.Response) -> bool:
    return (answer.status_code, answer.json()["type"]) == (503, "urn:podium:database-silent")


@pytest.mark.case("R11")
def test_while_it_is_down_the_hub_says_so_and_goes_on_when_it_is_back(
    server: postgresql.Server, hub: Hub, ada: httpx.Client
) -> None:
    page = {"cookie": f"__Host-podium={browse(hub.identity, 'ada')[0]}", "accept": "text/html"}
    server.crash()
    try:
        assert is_silent(ada.get("/me"))
        assert is_silent(ada.post("/environments", json={"name": "meanwhile", "profile": "Light"}))
        with hub.client() as browser:
            assert browser.get("/health").status_code == 200
            shown = browser.get("/environments", headers=page)
        assert shown.status_code == 503
        assert "Nothing is lost" in shown.text
        assert "set-cookie" not in shown.headers
    finally:
        server.come_back()
        leaks.keep(server.process.pid)
    assert ada.get("/me").status_code == 200
    made = ada.post("/environments", json={"name": "afterwards", "profile": "Light"}).json()
    eventually(lambda: ada.get(f"/environments/{made['id']}").json()["phase"] == "running", "it is launched")
    with hub.client() as browser:
        assert browser.get("/environments", headers=page).status_code == 200


@pytest.mark.case("R11")
def test_after_a_fail_over_not_one_request_fails(server: postgresql.Server, name: str, ada: httpx.Client) -> None:
    with server.connection() as administrator:
        administrator.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))
    assert {ada.get("/me").status_code for _ in range(10)} == {200}


@pytest.mark.case("R11")
def test_while_it_takes_no_writes_reading_goes_on(server: postgresql.Server, ada: httpx.Client) -> None:
    with server.connection() as administrator:
        administrator.execute("ALTER SYSTEM SET default_transaction_read_only = on")
        administrator.execute("SELECT pg_reload_conf()")
        try:
            eventually(lambda: is_silent(ada.post("/workspaces", json={"name": "meanwhile"})), "writing is refused")
            assert ada.get("/environments").status_code == 200
        finally:
            administrator.execute("SET default_transaction_read_only = off")
            administrator.execute("ALTER SYSTEM RESET default_transaction_read_only")
            administrator.execute("SELECT pg_reload_conf()")
    eventually(lambda: ada.post("/workspaces", json={"name": "afterwards"}).status_code == 201, "writing works again")


@pytest.mark.case("R11")
def test_a_database_that_stands_still_costs_a_request_its_answer_and_nobody_else_anything(
    server: postgresql.Server, name: str, hub: Hub, ada: httpx.Client
) -> None:
    with server.connection(name) as administrator, administrator.transaction(), hub.client() as browser:
        administrator.execute("LOCK TABLE workspace IN ACCESS EXCLUSIVE MODE")
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(ada.get, "/workspaces")
            while not waiting.done():
                assert browser.get("/health", timeout=BUSY_SECONDS / 2).status_code == 200
                assert browser.get("/login", timeout=BUSY_SECONDS / 2).status_code == 200
        assert is_silent(waiting.result())
    assert ada.get("/workspaces").status_code == 200


@pytest.mark.case("R11")
def test_of_two_that_wait_for_each_other_one_goes_on_and_the_other_is_told(hub: Hub) -> None:
    people = [register(hub.identity, name).id for name in ("deadlock-one", "deadlock-two")]
    both_hold, outcomes = threading.Barrier(2), list[str]()

    def rename(first: str, second: str) -> None:
        try:
            with hub.database.writing("test of a deadlock") as session:
                session.execute(update(User).where(col(User.id) == first).values(display_name="x"))
                both_hold.wait(30)
                session.execute(update(User).where(col(User.id) == second).values(display_name="y"))
        except DatabaseSilent as told:
            outcomes.append(told.sentence)
        else:
            outcomes.append("done")

    threads = [threading.Thread(target=rename, args=order) for order in (people, people[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(outcomes) == ["The database does not answer. Nothing is lost; try again in a moment.", "done"]


@pytest.mark.case("R24")
def test_when_it_comes_back_all_who_waited_are_served_over_a_bounded_number_of_connections(
    server: postgresql.Server, name: str, hub: Hub, ada: httpx.Client
) -> None:
    counted = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s"
    server.crash()
    server.come_back()
    leaks.keep(server.process.pid)
    hub.database.close()  # this test's own connections are not the hub's
    with server.connection() as administrator, ThreadPoolExecutor(1) as pool:
        herd, most = pool.submit(asyncio.run, asked_at_once(ada, HERD)), 0
        while not herd.done():
            [now] = administrator.execute(counted, (name,)).fetchone() or [0]
            most = max(most, now)
    assert herd.result() == [200] * HERD
    assert 0 < most <= KEPT_CONNECTIONS + FURTHER_CONNECTIONS


async def asked_at_once(program: httpx.Client, times: int) -> list[int]:
    """The statuses of that many calls, each on a connection of its own."""
    limits = httpx.Limits(max_connections=None)
    headers, address = dict(program.headers), str(program.base_url)
    async with httpx.AsyncClient(base_url=address, headers=headers, limits=limits, timeout=60, trust_env=False) as client:
        answers = await asyncio.gather(*(client.get("/environments") for _ in range(times)))
    return [answer.status_code for answer in answers]

"""Of several hubs one leads, also where none has led before."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from hub.database import Database
from hub.environments.lease import hold

HUBS = 8


@pytest.mark.case("R20")
def test_of_hubs_that_ask_for_the_first_time_at_once_one_leads_and_the_others_go_on_asking(database: Database) -> None:
    gate = Barrier(HUBS)

    def ask(number: int) -> bool:
        gate.wait()
        return hold(database, "controller", f"hub-{number}")

    with ThreadPoolExecutor(HUBS) as pool:
        first = list(pool.map(ask, range(HUBS)))
    assert first.count(True) == 1
    leader = first.index(True)
    assert [hold(database, "controller", f"hub-{number}") for number in range(HUBS)] == [n == leader for n in range(HUBS)]

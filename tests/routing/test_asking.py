"""Many questions in one moment are one question to the database, and each gets its own answer."""

import asyncio
import threading
from collections.abc import Collection

import pytest

from hub.errors import DatabaseSilent
from hub.routing.asking import MOST_AT_ONCE, Asking
from hub.routing.decisions import Decision, Denied, Door, Key

KEYS = [(f"slug-{number}", "token") for number in range(MOST_AT_ONCE + 50)]


class Slow:
    """Answers the first time only after it is told to go on; notes what it was asked together."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error, self.begun, self.go_on = error, threading.Event(), threading.Event()
        self.asked: list[list[Key]] = []

    def recent(self, _slug: str, _token: str) -> None:
        return None

    def decide_all(self, keys: Collection[Key]) -> dict[Key, Decision]:
        self.asked.append(list(keys))
        self.begun.set()
        assert self.go_on.wait(10)
        if self.error:
            raise self.error
        return {key: Denied(Door(list(Door)[len(key[0]) % len(Door)])) for key in keys}


async def asked_in_one_moment(slow: Slow, keys: Collection[Key]) -> list[Decision | BaseException]:
    """The first is under way when all others come."""
    asking = Asking(slow)  # type: ignore[arg-type]
    first = asyncio.create_task(asking.decision("first", "token"))
    await asyncio.to_thread(slow.begun.wait, 10)
    others = [asyncio.create_task(asking.decision(*key)) for key in keys]
    await asyncio.sleep(0)
    slow.go_on.set()
    return await asyncio.gather(first, *others, return_exceptions=True)


def test_what_comes_meanwhile_is_asked_together_and_each_thing_once() -> None:
    slow = Slow()
    answers = asyncio.run(asked_in_one_moment(slow, [*KEYS, *KEYS]))
    assert [len(keys) for keys in slow.asked] == [1, MOST_AT_ONCE, 50]
    assert slow.asked[1] + slow.asked[2] == KEYS
    expected = [Denied(list(Door)[len(slug) % len(Door)]) for slug, _ in KEYS]
    assert answers[1:] == expected * 2


def test_a_silent_database_is_told_to_all_who_asked_and_the_next_question_is_asked_again() -> None:
    slow = Slow(DatabaseSilent())

    async def twice() -> None:
        assert {type(answer) for answer in await asked_in_one_moment(slow, KEYS[:3])} == {DatabaseSilent}
        slow.error = None
        assert [type(answer) for answer in await asked_in_one_moment(slow, KEYS[:3])] == [Denied] * 4

    asyncio.run(twice())


def test_who_goes_away_takes_no_answer_from_those_who_stay() -> None:
    slow = Slow()

    async def one_leaves() -> None:
        asking = Asking(slow)  # type: ignore[arg-type]
        leaving, staying = (asyncio.create_task(asking.decision(*KEYS[0])) for _ in range(2))
        await asyncio.sleep(0)
        leaving.cancel()
        slow.go_on.set()
        assert isinstance(await staying, Denied)
        with pytest.raises(asyncio.CancelledError):
            await leaving

    asyncio.run(one_leaves())
    assert slow.asked == [[KEYS[0]]]

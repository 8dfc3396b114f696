"""Decisions for the event loop: questions that come while the database answers wait, and are then asked all together.

A decision costs two queries. Hundreds of requests in one moment, each with a thread and queries of its own, would spend
most of their time on each other; together they cost hardly more than one.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping
from itertools import islice

from starlette.concurrency import run_in_threadpool

from hub.routing.decisions import Decision, Decisions, Key

MOST_AT_ONCE = 200


class Asking:
    """For one event loop."""

    def __init__(self, decisions: Decisions) -> None:
        self._recent = decisions.recent
        self._decide: Callable[[Collection[Key]], Mapping[Key, Decision]] = decisions.decide_all
        self._waiting: dict[Key, asyncio.Future[Decision]] = {}
        self._answering: asyncio.Task[None] | None = None

    async def decision(self, slug: str, token: str) -> Decision:
        """One of the last two seconds, or a fresh one. Raises `DatabaseSilent`."""
        return self._recent(slug, token) or await self.fresh(slug, token)

    async def fresh(self, slug: str, token: str) -> Decision:
        """As the database has it now. Raises `DatabaseSilent`."""
        answer = self._waiting.get((slug, token))
        if answer is None:
            answer = self._waiting[slug, token] = asyncio.get_running_loop().create_future()
        if self._answering is None:
            self._answering = asyncio.create_task(self._answer())
        return await asyncio.shield(answer)  # others may wait for the same answer when this one is gone

    async def _answer(self) -> None:
        try:
            while self._waiting:
                asked = dict(islice(self._waiting.items(), MOST_AT_ONCE))
                for key in asked:
                    del self._waiting[key]
                await self._answer_all(asked)
        finally:
            self._answering = None

    async def _answer_all(self, asked: Mapping[Key, asyncio.Future[Decision]]) -> None:
        try:
            decisions = await run_in_threadpool(self._decide, list(asked))
        except Exception as error:  # noqa: BLE001 - it belongs to those who asked
            for answer in asked.values():
                answer.set_exception(error)
                answer.exception()  # nobody has to be left who waits for it
        else:
            for key, answer in asked.items():
                answer.set_result(decisions[key])

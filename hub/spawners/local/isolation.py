"""How far environments are kept apart on this machine, as an agent knows it. Starts wait for it where a level is demanded."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import asdict, dataclass, field
from functools import partial
from time import monotonic
from typing import Any

from hub.spawners.isolation import Found, lacks
from hub.spawners.local.accounts import Accounts
from hub.spawners.local.folders import Folders
from hub.spawners.local.limits import Limits
from hub.spawners.local.options import Options
from hub.spawners.local.trying import tried


@dataclass
class Isolation:
    """`found` is awaited by whoever needs to know; None where it could not be tried, or nobody wants it.

    `no_accounts`: why root gives environments no accounts of their own here. `pause`: seconds after a try that found nothing
    until somebody's question begins another one; the machine may have been busy.
    """

    wanted: str
    no_accounts: str = ""
    pause: float = 60.0
    _try: "Callable[[], Coroutine[Any, Any, Found | None]] | None" = field(default=None, init=False)
    _trying: "asyncio.Task[Found | None] | None" = field(default=None, init=False)
    _not_before: float = field(default=0.0, init=False)

    def find_out(self, options: Options, folders: Folders, limits: Limits, accounts: Accounts | None) -> None:
        if self.wanted != "none":
            self._try = partial(tried, options, folders, limits, accounts)
            self._begin(self._try)

    async def found(self) -> Found | None:
        if self._try and self._has_found_nothing() and monotonic() >= self._not_before:
            self._begin(self._try)
        return await asyncio.shield(self._trying) if self._trying else None

    def _begin(self, a_try: Callable[[], Coroutine[Any, Any, Found | None]]) -> None:
        self._trying = asyncio.create_task(a_try())
        self._trying.add_done_callback(self._rest)

    def _rest(self, _tried: "asyncio.Task[Found | None]") -> None:
        self._not_before = monotonic() + self.pause

    def _has_found_nothing(self) -> bool:
        """The last try; one that is under way may find something yet."""
        return bool(self._trying and self._trying.done() and self._trying.result() is None)

    async def refusal(self) -> str:
        """Why nothing may be started here; empty where all that is demanded holds."""
        return lacks(self.wanted, await self.found()) if self.wanted not in {"any", "none"} else ""

    async def told(self) -> dict[str, Any]:
        found = await self.found()
        return {"wanted": self.wanted, "found": asdict(found) if found else None, "no_accounts": self.no_accounts}

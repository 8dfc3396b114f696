"""Slows down whoever guesses passwords, and lets no stranger lock anybody out.

Tries are counted for an address together with a name, and more generously for the address alone;
after a few free ones each further try must wait twice as long, up to a minute. A stranger
elsewhere therefore never delays a person's own login. One behind the same address could, so a
browser that has logged in as that name before is counted by itself. A try counts as failed from
its beginning, so that many at once gain nothing, and a success takes it back. Everything is in
memory, of this process only, and bounded: the oldest counts are dropped first.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any

from hub.errors import Refused

FREE_FOR_NAME = 5
FREE_FOR_ADDRESS = 50
LONGEST_WAIT = 60.0
FORGET_AFTER = 3600.0
REMEMBERED = 10_000


@dataclass
class _Count:
    tries: int
    last: float


class Throttle:
    """Safe to share between threads. `clock` gives seconds that never go back."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._counts: OrderedDict[Hashable, _Count] = OrderedDict()
        self._known_browsers: OrderedDict[tuple[str, str], None] = OrderedDict()

    def admit(self, name: str, address: str, browser: str) -> None:
        """Count a try. Raises `Refused` with the seconds to wait where it comes too early."""
        with self._lock:
            keys = self._keys(name, network_of(address), browser)
            wait = max(self._wait(key, free) for key, free in keys)
            if wait <= 0:
                for key, _ in keys:
                    self._count(key)
                keep_newest(self._counts)
        if wait > 0:
            seconds = int(wait) + 1
            raise Refused(f"Too many logins failed. Wait {seconds} second{'s' if seconds > 1 else ''}, then try again.")

    def succeeded(self, name: str, address: str, browser: str) -> None:
        """Take the try back, and remember the browser as one that knows the password."""
        with self._lock:
            for key, free in self._keys(name, network_of(address), browser):
                if free == FREE_FOR_NAME:
                    self._counts.pop(key, None)
                elif key in self._counts:
                    self._counts[key].tries -= 1
            self._known_browsers[browser, name] = None
            self._known_browsers.move_to_end((browser, name))
            keep_newest(self._known_browsers)

    def knows(self, name: str, browser: str) -> bool:
        """Whether this browser has logged in as that name, as far as this process remembers."""
        with self._lock:
            return (browser, name) in self._known_browsers

    def _keys(self, name: str, network: str, browser: str) -> list[tuple[Hashable, int]]:
        if (browser, name) in self._known_browsers:
            return [(("browser", browser, name), FREE_FOR_NAME)]
        return [(("name", network, name), FREE_FOR_NAME), (("network", network), FREE_FOR_ADDRESS)]

    def _wait(self, key: Hashable, free: int) -> float:
        count = self._counts.get(key)
        if count is None or count.tries < free:
            return 0.0
        doublings = min(count.tries - free, 10)
        return min(LONGEST_WAIT, 2.0**doublings) - (self._clock() - count.last)

    def _count(self, key: Hashable) -> None:
        moment = self._clock()
        count = self._counts.pop(key, None)
        fresh = count is None or moment - count.last > FORGET_AFTER
        self._counts[key] = _Count(1 if fresh or count is None else count.tries + 1, moment)


def network_of(address: str) -> str:
    """What one household or machine can choose its addresses from: the /64 of an IPv6 address."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address[:64]
    return str(ip_network((parsed, 64), strict=False)) if isinstance(parsed, IPv6Address) else str(parsed)


def keep_newest(entries: OrderedDict[Any, Any]) -> None:
    """No more than `REMEMBERED`; those moved to the end last stay."""
    while len(entries) > REMEMBERED:
        entries.popitem(last=False)

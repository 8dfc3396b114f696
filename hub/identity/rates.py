"""How often one network may begin something that costs Podium a row or a look at a token, counted in this process."""

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from hub.identity.throttle import network_of


class Rate:
    """`per_minute` of one kind for each network. Safe to share between threads."""

    def __init__(self, kind: str, per_minute: int) -> None:
        self._kind, self._item = kind, RateLimitItemPerMinute(per_minute)
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def admits(self, address: str) -> bool:
        """Count one more; False where that are too many."""
        return self._limiter.hit(self._item, self._kind, network_of(address))

    def is_spent(self, address: str) -> bool:
        """Whether one more would be too many; counts nothing."""
        return not self._limiter.test(self._item, self._kind, network_of(address))

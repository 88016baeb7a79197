"""How many log-ins may fail: a bucket per e-mail and per address, in the memory of the process.

A bucket holds `capacity` failures and one drips back every `refill_us`. Kept in memory on purpose:
guessing must not cost a write to the registry each. So each web worker counts for itself (the
limits of n workers are n times these), and a restart forgives. Behind a reverse proxy all callers
share its address; the limit per address is wide for that reason.
"""

from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock

from app.domain.window import SECOND_US


@dataclass(frozen=True, slots=True)
class Limit:
    """`capacity` failures at once, then one every `refill_us`."""

    capacity: int
    refill_us: int


PER_EMAIL = Limit(10, 90 * SECOND_US)
PER_ADDRESS = Limit(100, 9 * SECOND_US)
MAX_KEYS = 10_000


class Throttle:
    """The buckets of one limit; the least recently used are forgotten beyond `MAX_KEYS`."""

    def __init__(self, limit: Limit, max_keys: int = MAX_KEYS) -> None:
        self._limit = limit
        self._max_keys = max_keys
        self._buckets: OrderedDict[str, tuple[float, int]] = OrderedDict()
        self._lock = Lock()

    def wait_us(self, key: str, now_us: int) -> int:
        """How long `key` has to wait before it may try; 0: not at all."""
        with self._lock:
            missing = self._level(key, now_us) - (self._limit.capacity - 1)
        return max(0, round(missing * self._limit.refill_us))

    def failed(self, key: str, now_us: int) -> None:
        """Count one failure."""
        with self._lock:
            self._buckets[key] = (self._level(key, now_us) + 1.0, now_us)
            self._buckets.move_to_end(key)
            while len(self._buckets) > self._max_keys:
                self._buckets.popitem(last=False)

    def forgive(self, key: str) -> None:
        """Forget the failures of `key`: it got in."""
        with self._lock:
            self._buckets.pop(key, None)

    def _level(self, key: str, now_us: int) -> float:
        level, since_us = self._buckets.get(key, (0.0, now_us))
        return max(0.0, level - max(0, now_us - since_us) / self._limit.refill_us)

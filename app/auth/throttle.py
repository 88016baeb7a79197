"""How many log-ins may fail: a bucket per e-mail and per address, in the memory of the process.

A bucket holds `capacity` failures and one drips back every `refill_us`. Kept in memory on purpose:
guessing must not cost a write to the registry each. So each web worker counts for itself (the
limits of n workers are n times these), and a restart forgives. Behind a reverse proxy all callers
share its address; the limit per address is wide for that reason.
"""

from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock

from app.domain.window import MINUTE_US, SECOND_US


@dataclass(frozen=True, slots=True)
class Limit:
    """`capacity` failures at once, then one every `refill_us`."""

    capacity: int
    refill_us: int


PER_EMAIL = Limit(10, 90 * SECOND_US)
PER_ADDRESS = Limit(100, 9 * SECOND_US)
#: Links asked for: each is a mail in somebody's box.
LINKS_PER_EMAIL = Limit(5, 6 * MINUTE_US)
LINKS_PER_ADDRESS = Limit(50, 36 * SECOND_US)
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


class Pair:
    """A limit per e-mail and one per address, counted together."""

    def __init__(self, per_email: Limit, per_address: Limit) -> None:
        self._by_email = Throttle(per_email)
        self._by_address = Throttle(per_address)

    def wait_s(self, email: str, address: str, now_us: int) -> int:
        """How many seconds to wait before the next try; 0: none."""
        wait_us = max(
            self._by_email.wait_us(email, now_us), self._by_address.wait_us(address, now_us)
        )
        return -(-wait_us // SECOND_US)

    def count(self, email: str, address: str, now_us: int) -> None:
        """Count one for both."""
        self._by_email.failed(email, now_us)
        self._by_address.failed(address, now_us)

    def forgive(self, email: str) -> None:
        """Forget what was counted for an e-mail."""
        self._by_email.forgive(email)

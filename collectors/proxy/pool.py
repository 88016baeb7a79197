"""Connections to upstreams that wait for their next request.

`take` and `give` decide at once and only move connections; whoever calls them acts. The newest is
taken first, so that the rest can grow old and go.
"""

from collections.abc import Iterator
from typing import Generic, Protocol, TypeVar

from collectors.proxy.routes import Origin

#: Shorter than the 5 s after which the most impatient common servers hang up on an idle caller.
IDLE_NS = 4_000_000_000
PER_ORIGIN = 512
IN_ALL = 4096


class Poolable(Protocol):
    """What a pool needs to know of a connection."""

    origin: Origin
    idle_since_ns: int


_C = TypeVar("_C", bound=Poolable)


class Pool(Generic[_C]):
    """Idle connections by origin; permission is part of an origin, so it is not shared."""

    def __init__(self) -> None:
        self._idle: dict[Origin, list[_C]] = {}
        self.size = 0

    def take(self, origin: Origin) -> _C | None:
        """The connection to `origin` that was used last, no longer in the pool."""
        waiting = self._idle.get(origin)
        if not waiting:
            return None
        self.size -= 1
        return waiting.pop()

    def give(self, connection: _C, now_ns: int) -> bool:
        """Keep a connection for the next request. False: there is no room, close it."""
        waiting = self._idle.get(connection.origin)
        if waiting is None:
            waiting = self._idle[connection.origin] = []
        if len(waiting) >= PER_ORIGIN or self.size >= IN_ALL:
            return False
        connection.idle_since_ns = now_ns
        waiting.append(connection)
        self.size += 1
        return True

    def remove(self, connection: _C) -> None:
        """Forget a connection that closed while it waited; harmless if it is not in here."""
        waiting = self._idle.get(connection.origin, [])
        if connection in waiting:
            waiting.remove(connection)
            self.size -= 1

    def expire(self, now_ns: int) -> list[_C]:
        """Connections that have waited too long, no longer in the pool; close them."""
        expired: list[_C] = []
        for origin, waiting in list(self._idle.items()):
            keep = next(
                (i for i, c in enumerate(waiting) if now_ns - c.idle_since_ns < IDLE_NS),
                len(waiting),
            )
            expired += waiting[:keep]
            del waiting[:keep]
            if not waiting:
                del self._idle[origin]
        self.size -= len(expired)
        return expired

    def __iter__(self) -> Iterator[_C]:
        for waiting in self._idle.values():
            yield from waiting

"""Places for exchanges under way, and a short queue before them. Pure: it decides, others act."""

from collections import OrderedDict
from typing import Generic, TypeVar

_T = TypeVar("_T")


class Bulkhead(Generic[_T]):
    """At most `places` are in, at most `queue` wait; first come, first served.

    Either bound may change at any time: who is in stays in, who waits goes on waiting.
    """

    __slots__ = ("_waiting", "inside", "places", "queue")

    def __init__(self, places: int, queue: int) -> None:
        self.places = places
        self.queue = queue
        self.inside = 0
        self._waiting: OrderedDict[_T, None] = OrderedDict()

    @property
    def waiting(self) -> int:
        """How many wait."""
        return len(self._waiting)

    def enter(self) -> bool:
        """Take a place; False: there is none, or somebody was here before."""
        if self.inside >= self.places or self._waiting:
            return False
        self.inside += 1
        return True

    def wait(self, who: _T) -> bool:
        """Join the queue; False: it is full."""
        if len(self._waiting) >= self.queue:
            return False
        self._waiting[who] = None
        return True

    def leave(self) -> bool:
        """Give a place back; whether somebody waits for one."""
        self.inside -= 1
        return bool(self._waiting)

    def give_up(self, who: _T) -> bool:
        """Leave the queue; False: not in it."""
        return self._waiting.pop(who, _ABSENT) is not _ABSENT

    def next(self) -> _T | None:
        """Who waited longest and has a place from now on; None: nobody waits or none is free."""
        if not self._waiting or self.inside >= self.places:
            return None
        self.inside += 1
        return self._waiting.popitem(last=False)[0]


_ABSENT = object()

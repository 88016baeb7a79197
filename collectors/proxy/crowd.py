"""How many connections a listener has, and who must stay outside. Pure but for `file_limit`.

Each listener has its own room, so a flood on the one that is open to partners takes nothing from
the platform's. Who is one too many is turned away before a byte of it is read: a short answer and
the end, which costs less than any request. The platform's listener keeps a few places more for
its own pages: a full proxy still says that it lives.
"""

import resource
from enum import Enum

#: Places beyond the room in which only the proxy's own pages are answered.
RESERVE = 64
#: Descriptors for everything that is not a connection.
_OWN_FILES = 256


class Entry(Enum):
    """Whether a connection may stay."""

    WELCOME = "welcome"
    OWN_PAGES = "own_pages"
    FULL = "full"
    PEER_FULL = "peer_full"


class Crowd:
    """The connections of one listener. `per_peer` 0: as many of one address as there is room."""

    __slots__ = ("_by_peer", "_per_peer", "_reserve", "inside", "room")

    def __init__(self, room: int, per_peer: int, reserve: int) -> None:
        self.room = room
        self._per_peer = per_peer
        self._reserve = reserve
        self._by_peer: dict[bytes, int] = {}
        self.inside = 0

    def enter(self, peer: bytes, *, alone: bool = True) -> Entry:
        """Count a connection, unless it is turned away; what was counted leaves. Not `alone`:
        others come by the same address."""
        if self.inside >= self.room + self._reserve:
            return Entry.FULL
        of_peer = self._by_peer.get(peer, 0)
        if alone and self._per_peer and of_peer >= self._per_peer:
            return Entry.PEER_FULL
        self._by_peer[peer] = of_peer + 1
        self.inside += 1
        return Entry.WELCOME if self.inside <= self.room else Entry.OWN_PAGES

    def leave(self, peer: bytes) -> None:
        """A connection that entered has ended."""
        self.inside -= 1
        of_peer = self._by_peer[peer] - 1
        if of_peer:
            self._by_peer[peer] = of_peer
        else:
            del self._by_peer[peer]

    def at_the_door(self) -> "Crowd":
        """An empty crowd with the same bounds, of those that are not inside yet."""
        return Crowd(self.room, self._per_peer, 0)

    @property
    def pressed(self) -> bool:
        """Whether three quarters of the room are taken."""
        return self.inside * 4 > self.room * 3


def room_for(wanted: int, files: int) -> int:
    """How many connections a listener may have where a process may have so many open files: two
    listeners, and for each caller a connection to its upstream."""
    return max(1, min(wanted, (files - _OWN_FILES) // 4))


def file_limit() -> int:
    """Raise the number of files this process may open as far as it may; that number."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard if hard != resource.RLIM_INFINITY else 1 << 30

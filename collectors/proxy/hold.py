"""`Retry-After`, obeyed: a side that asks not to be called for a while is not called. Pure.

A 503 speaks for the whole service. A 429 speaks for the installation it was answered to, where
the caller named one, because partners limit by customer; else for the whole service.
"""

import re
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import NamedTuple

_SECONDS = re.compile(rb"[0-9]{1,9}")
#: Installations that may be held one by one; further ones are not held.
_MOST_HELD = 1_000


def retry_after_s(value: bytes, now_s: float) -> float:
    """How long a `Retry-After` header asks for (RFC 9110, 10.2.3): seconds or a date; 0 for what
    is neither, or over."""
    if _SECONDS.fullmatch(value):
        return float(value)
    try:
        date = parsedate_to_datetime(value.decode("latin-1"))
        return max(0.0, date.replace(tzinfo=date.tzinfo or UTC).timestamp() - now_s)
    except (ValueError, OverflowError):
        return 0.0


class Hold(NamedTuple):
    """Nothing is sent until then, because of an answer with that status."""

    until_ns: int = 0
    status: int = 503


class Holds:
    """What is held: everything, or single installations."""

    __slots__ = ("_by_installation", "whole")

    def __init__(self) -> None:
        self.whole = Hold()
        self._by_installation: dict[str, Hold] = {}

    @property
    def installations(self) -> int:
        """How many single installations are held."""
        return len(self._by_installation)

    def hold(self, status: int, installation: str, until_ns: int) -> None:
        """Obey an answer with `status`; a hold is never shortened."""
        wanted, held = Hold(until_ns, status), self._by_installation
        if status != 429 or not installation:
            self.whole = max(self.whole, wanted)
        elif installation in held or len(held) < _MOST_HELD:
            held[installation] = max(held.get(installation, wanted), wanted)

    def of(self, installation: str, now_ns: int) -> Hold | None:
        """What holds an exchange of that installation back; None: nothing."""
        found = max(self.whole, self._by_installation.get(installation, self.whole))
        return found if found.until_ns > now_ns else None

    def expire(self, now_ns: int) -> bool:
        """Forget what is over; whether anything is still held."""
        held = self._by_installation
        over = [name for name, hold in held.items() if hold.until_ns <= now_ns]
        for name in over:
            del held[name]
        return bool(held) or self.whole.until_ns > now_ns

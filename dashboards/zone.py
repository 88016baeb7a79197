"""In which zone the viewer reads times. A cookie that the pages set names it; without one, UTC.

It is a matter of showing only: addresses, the API and everything inside stay in UTC.
"""

from contextvars import ContextVar
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from app.domain.window import SECOND_US

COOKIE = "midspan_zone"
_LONGEST = 64
_current: ContextVar[tzinfo] = ContextVar("zone", default=UTC)


def choose(name: str | None) -> None:
    """From now on, in this context, times are told in the zone of that name; None: in UTC."""
    _current.set(named(name))


@lru_cache(maxsize=64)
def named(name: str | None) -> tzinfo:
    """The zone of an IANA name; UTC for none and for one that this machine does not know."""
    if not name or len(name) > _LONGEST:
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


def current() -> tzinfo:
    """The zone of the request in progress."""
    return _current.get()


def at(at_us: int) -> datetime:
    """A moment in the viewer's zone."""
    moment = datetime.fromtimestamp(at_us // SECOND_US, _current.get())
    rest_us = at_us % SECOND_US
    return moment.replace(microsecond=rest_us) if rest_us else moment


def label(at_us: int) -> str:
    """What the zone is called at a moment: `UTC`, `CEST`, `UTC+05:30`."""
    name = at(at_us).tzname() or "UTC"
    return f"UTC{name}" if name[0] in "+-" else name

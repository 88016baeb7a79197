"""In which zone the viewer reads times. A cookie that the pages set names it; without one, UTC.

It is a matter of showing only: addresses, the API and everything inside stay in UTC.
"""

from contextvars import ContextVar
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from flask import Flask, request

from app.domain.window import SECOND_US

COOKIE = "midspan_zone"
_LONGEST = 64
_current: ContextVar[tzinfo] = ContextVar("zone", default=UTC)


def install(server: Flask) -> None:
    """Every request of `server` is answered in the zone that its cookie names."""

    def choose() -> None:
        _current.set(named(request.cookies.get(COOKIE)))

    def forget(_error: BaseException | None) -> None:
        _current.set(UTC)

    server.before_request(choose)
    server.teardown_request(forget)


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
    moment = datetime.fromtimestamp(at_us // SECOND_US, UTC).replace(microsecond=at_us % SECOND_US)
    return moment.astimezone(_current.get())


def label(at_us: int) -> str:
    """What the zone is called at a moment: `UTC`, `CEST`, `UTC+05:30`."""
    name = at(at_us).tzname() or "UTC"
    return f"UTC{name}" if name[0] in "+-" else name

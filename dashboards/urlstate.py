"""The time range in the address of a page, and the step of its charts.

`?window=24h` ends now and moves on; `?from=…&to=…` (RFC 3339, UTC) stands still. Both use the
grammar of the API, so that a pasted link and a request show the same numbers.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlencode

from app.domain.window import (
    DAY_US,
    HOUR_US,
    MINUTE_US,
    SECOND_US,
    Window,
    ceil,
    floor,
    parse_duration,
    window_ending,
)

PRESETS = ("15m", "1h", "6h", "24h", "7d", "30d")
DEFAULT = "24h"
LONGEST_US = 400 * DAY_US
#: How far back single minutes and single hours are kept (`app.store.port.Retention`).
MINUTES_KEPT_US, HOURS_KEPT_US = 48 * HOUR_US, 90 * DAY_US
MOST_POINTS = 180
STEPS_US = (
    *(minutes * MINUTE_US for minutes in (1, 2, 5, 10, 15, 30)),
    *(hours * HOUR_US for hours in (1, 2, 3, 6, 12)),
    *(days * DAY_US for days in (1, 2, 7)),
)
_UNREADABLE = "The time range in the address could not be read, so this is the last 24 hours."


@dataclass(frozen=True, slots=True)
class Range:
    """A span of time somebody asked for. `preset` is the text of `window=`, None for a span that
    stands still. `problem` says why it is not the one in the address."""

    window: Window
    preset: str | None
    problem: str | None = None

    @property
    def live(self) -> bool:
        """Whether it ends now."""
        return self.preset is not None


def parse(search: str | None, now_us: int) -> Range:
    """The range of a query string; the default, with the problem named, for one that is none."""
    given = parse_qs((search or "").lstrip("?"))
    if "from" not in given and "to" not in given:
        return _moving(given.get("window", [DEFAULT])[0], now_us)
    try:
        start, end = _moment(given["from"][0]), _moment(given["to"][0])
    except (KeyError, ValueError, OverflowError):
        return _fallback(now_us)
    latest = window_ending(now_us, MINUTE_US).end_us
    end = min(ceil(end, MINUTE_US), latest)
    start = max(floor(start, MINUTE_US), end - LONGEST_US)
    return Range(Window(start, end), None) if 0 <= start < end else _fallback(now_us)


def timed(search: str | None, usual: str) -> str:
    """The query string, or `usual` where it names no time; a page has its own usual one."""
    given = parse_qs((search or "").lstrip("?"))
    return search or "" if given.keys() & {"window", "from", "to"} else usual


def build(asked: Range) -> str:
    """The query string that `parse` reads as the same range."""
    if asked.preset:
        return "?" + urlencode({"window": asked.preset})
    return "?" + urlencode({"from": iso(asked.window.start_us), "to": iso(asked.window.end_us)})


def iso(at_us: int) -> str:
    """RFC 3339 in UTC, to the second: `2026-11-22T10:00:00Z`."""
    return f"{datetime.fromtimestamp(at_us // SECOND_US, UTC):%Y-%m-%dT%H:%M:%SZ}"


def step_us(window: Window, now_us: int) -> int:
    """The step of a chart: the finest that needs at most `MOST_POINTS` and is still kept."""
    finest = max(-(-window.length_us // MOST_POINTS), _kept_us(window, now_us))
    return next((step for step in STEPS_US if step >= finest), STEPS_US[-1])


def previous(window: Window, step: int) -> Window:
    """The equal span before, moved by whole steps so that its points lie under this one's."""
    back = ceil(window.length_us, step)
    return Window(window.start_us - back, window.end_us - back)


def _kept_us(window: Window, now_us: int) -> int:
    age = now_us - window.start_us
    if age > HOURS_KEPT_US:
        return DAY_US
    return HOUR_US if age > MINUTES_KEPT_US else MINUTE_US


def _moving(text: str, now_us: int) -> Range:
    try:
        length = parse_duration(text)
    except ValueError:
        return _fallback(now_us)
    if not MINUTE_US <= length <= LONGEST_US:
        return _fallback(now_us)
    return Range(window_ending(now_us, length), text)


def _fallback(now_us: int) -> Range:
    return Range(window_ending(now_us, parse_duration(DEFAULT)), DEFAULT, _UNREADABLE)


def _moment(text: str) -> int:
    moment = datetime.fromisoformat(text)
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return int(moment.timestamp()) * SECOND_US

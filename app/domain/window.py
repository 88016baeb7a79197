"""Spans of time on the minute, hour and day grid, in integer microseconds since 1970 UTC."""

from dataclasses import dataclass

SECOND_US = 1_000_000
MINUTE_US = 60 * SECOND_US
HOUR_US = 60 * MINUTE_US
DAY_US = 24 * HOUR_US
WEEK_US = 7 * DAY_US

_UNITS_US = {"s": SECOND_US, "m": MINUTE_US, "h": HOUR_US, "d": DAY_US, "w": WEEK_US}


@dataclass(frozen=True, slots=True)
class Window:
    """A half-open span [start_us, end_us)."""

    start_us: int
    end_us: int

    @property
    def length_us(self) -> int:
        """Its length."""
        return self.end_us - self.start_us

    def previous(self) -> "Window":
        """The equal span just before it."""
        return Window(self.start_us - self.length_us, self.start_us)


def floor(at_us: int, step_us: int) -> int:
    """The last point of the grid of `step_us` at or before `at_us`."""
    return at_us - at_us % step_us


def ceil(at_us: int, step_us: int) -> int:
    """The first point of the grid of `step_us` at or after `at_us`."""
    return -floor(-at_us, step_us)


def parse_duration(text: str) -> int:
    """`90s`, `15m`, `1h`, `30d`, `4w` in microseconds; `ValueError` for anything else."""
    number, unit = text[:-1], text[-1:]
    if unit not in _UNITS_US or not number.isascii() or not number.isdigit() or int(number) == 0:
        raise ValueError(f"bad duration {text!r}: a whole number and one of s, m, h, d, w")
    return int(number) * _UNITS_US[unit]


def window_ending(now_us: int, length_us: int) -> Window:
    """The window of `length_us` that ends now and includes the minute that is running.

    Both ends lie on the minute grid: the end is the end of the running minute.
    """
    end_us = floor(now_us, MINUTE_US) + MINUTE_US
    return Window(end_us - max(length_us, MINUTE_US), end_us)

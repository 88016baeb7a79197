"""Which rollup rows answer a question: a window cut into days, hours and minutes.

Pure. What is complete at an instant, and so may answer for it: minutes from `minutes_from` on,
hours from `hours_from` to before `hours_until`, days before `days_until`. The marks keep to
`hours_from <= days_until <= hours_until` and `hours_from <= minutes_from <= hours_until`; minutes
and hours begin and end on an hour, days and `hours_from` on a day. So no instant is without a row.
"""

from dataclasses import dataclass
from typing import NamedTuple

from app.domain.window import DAY_US, HOUR_US, MINUTE_US, Window, ceil, floor


@dataclass(frozen=True, slots=True)
class Marks:
    """Where one resolution takes over from the next; `metrics_state` keeps them."""

    minutes_from_us: int
    hours_from_us: int
    hours_until_us: int
    days_until_us: int


class Stretch(NamedTuple):
    """Part of a window and the length of the rows that cover it."""

    start_us: int
    end_us: int
    resolution_us: int


def widened(window: Window, marks: Marks) -> Window:
    """The window on the grid of the finest rows that are kept at either end."""
    start_us, end_us = floor(window.start_us, MINUTE_US), ceil(window.end_us, MINUTE_US)
    if start_us < marks.minutes_from_us:
        start_us = floor(start_us, HOUR_US)
    if start_us < marks.hours_from_us:
        start_us = floor(start_us, DAY_US)
    if end_us <= marks.minutes_from_us:
        end_us = ceil(end_us, HOUR_US)
    if end_us <= marks.hours_from_us:
        end_us = ceil(end_us, DAY_US)
    return Window(start_us, end_us)


def cover(window: Window, marks: Marks, step_us: int | None = None) -> list[Stretch]:
    """Stretches that make up a `widened` window, each with the longest rows allowed there.

    With `step_us`, rows that do not divide it are only taken where no shorter ones are kept.
    """
    whole = Stretch(window.start_us, window.end_us, 0)
    days_until_us = marks.days_until_us if _divides(DAY_US, step_us) else marks.hours_from_us
    hours_until_us = marks.hours_until_us if _divides(HOUR_US, step_us) else marks.minutes_from_us
    days, rest = _carve(whole, DAY_US, days_until_us)
    found = days
    for part in rest:
        hours, ends = _carve(part, HOUR_US, hours_until_us)
        found += hours
        found += [Stretch(start, end, MINUTE_US) for start, end, _ in ends]
    return sorted(found)


def _divides(resolution_us: int, step_us: int | None) -> bool:
    return step_us is None or step_us % resolution_us == 0


def _carve(part: Stretch, resolution_us: int, until_us: int) -> tuple[list[Stretch], list[Stretch]]:
    """The whole steps of `resolution_us` before `until_us` within `part`, and what is left."""
    start_us = ceil(part.start_us, resolution_us)
    end_us = min(floor(part.end_us, resolution_us), until_us)
    if end_us <= start_us:
        return [], [part]
    rest = [Stretch(part.start_us, start_us, 0), Stretch(end_us, part.end_us, 0)]
    carved = Stretch(start_us, end_us, resolution_us)
    return [carved], [each for each in rest if each.start_us < each.end_us]

"""Which rollup rows answer a question: a window cut into weeks, days, hours and minutes.

Pure. What is complete at an instant, and so may answer for it: minutes from `minutes_from` on,
hours from `hours_from` to before `hours_until`, days before `days_until`, weeks before
`weeks_until`. The marks keep to `weeks_until <= days_until <= hours_until`,
`hours_from <= days_until` and `hours_from <= minutes_from <= hours_until`; minutes
and hours begin and end on an hour, days and `hours_from` on a day. So no instant is without a row.
"""

from dataclasses import dataclass
from typing import NamedTuple

from app.domain.window import DAY_US, HOUR_US, MINUTE_US, WEEK_US, Window, ceil, floor


@dataclass(frozen=True, slots=True)
class Marks:
    """Where one resolution takes over from the next; `metrics_state` keeps them."""

    minutes_from_us: int
    hours_from_us: int
    hours_until_us: int
    days_until_us: int
    weeks_until_us: int


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
    left, found = [Stretch(window.start_us, window.end_us, MINUTE_US)], []
    for resolution_us, folded_until_us, gone_until_us in (
        (WEEK_US, marks.weeks_until_us, 0),
        (DAY_US, marks.days_until_us, marks.hours_from_us),
        (HOUR_US, marks.hours_until_us, marks.minutes_from_us),
    ):
        fits = step_us is None or step_us % resolution_us == 0
        until_us = folded_until_us if fits else gone_until_us
        parts, left = left, []
        for part in parts:
            carved, rest = _carve(part, resolution_us, until_us)
            found += carved
            left += rest
    return sorted(found + left)


def _carve(part: Stretch, resolution_us: int, until_us: int) -> tuple[list[Stretch], list[Stretch]]:
    """The whole steps of `resolution_us` before `until_us` within `part`, and what is left."""
    start_us = ceil(part.start_us, resolution_us)
    end_us = min(floor(part.end_us, resolution_us), until_us)
    if end_us <= start_us:
        return [], [part]
    rest = [part._replace(end_us=start_us), part._replace(start_us=end_us)]
    carved = Stretch(start_us, end_us, resolution_us)
    return [carved], [each for each in rest if each.start_us < each.end_us]

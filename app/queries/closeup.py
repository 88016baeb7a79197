"""What the page of one integration says of a window and of the time before it.

Its parts are what `health`, `timeline`, `operations` and `series` answer; asked one by one they
would read the same rows and add them up several times.
"""

from dataclasses import dataclass

from app.domain.scope import Scope
from app.domain.window import Window
from app.queries.assessing import judge, judge_all
from app.queries.health import (
    bad_by_operation,
    checked_step,
    on_the_minute,
    operations_of,
    series_of,
)
from app.queries.reading import Reading
from app.queries.registry import integration_within
from app.queries.results import Health, OperationView, SeriesView
from app.queries.timeline import Timeline, timeline_of
from app.store.port import Rollups
from app.telemetry import timed_query


@dataclass(frozen=True, slots=True)
class Closeup:
    """`now`, `timeline` and `operations` are of the window; `before`, whose sentence names no
    operations, is of the equal one before it, `ghost` of what lies under its steps."""

    now: Health
    before: Health
    timeline: Timeline
    ghost: SeriesView
    operations: tuple[OperationView, ...]


@timed_query("closeup")
def closeup(
    reading: Reading, scope: Scope, slug: str, window: Window, step_us: int, *, ghost: Window
) -> Closeup:
    """`NotFound` outside the scope, `BadQuery` as `series` has it. `ghost` is the window whose
    steps lie under those of `window`: the one before, or one some minutes further back."""
    view = integration_within(reading, scope, slug)
    grid, now_us = on_the_minute(window), reading.clock()
    checked_step(grid, step_us)

    def rows(of: Window, *, operations: bool = False, by_step: bool = True) -> Rollups:
        return reading.store.rollups(
            on_the_minute(of),
            integrations=[slug],
            operations=operations,
            step_us=step_us if by_step else None,
        )

    earlier = window.previous()
    now, by_operation = rows(window), rows(window, operations=True, by_step=False)
    under = rows(ghost)
    before = under if ghost == earlier else rows(earlier, by_step=False)
    return Closeup(
        judge(view, now, lambda: bad_by_operation(by_operation), now_us=now_us),
        judge_all([view], before, now_us=now_us)[0],
        timeline_of(view, now, step_us),
        series_of(under, step_us),
        tuple(operations_of(by_operation)),
    )

"""How integrations are doing: one, all, over time, by operation."""

from collections import defaultdict
from collections.abc import Mapping

import numpy as np

from app.domain.health import RANK, Status
from app.domain.objective import error_ratio
from app.domain.phrases import main_fault
from app.domain.scope import Scope
from app.domain.window import MINUTE_US, Window, ceil, floor
from app.domain.words import Direction, Kind
from app.errors import BadQuery
from app.queries.assessing import judge, judge_all
from app.queries.counting import Ints, Sums, add_up, faults_of, latencies, outcomes_of
from app.queries.reading import Reading
from app.queries.registry import UNATTRIBUTED_VIEW, integration_within, integrations_within
from app.queries.results import Health, IntegrationView, OperationView, Point, SeriesView
from app.store.port import Rollups
from app.telemetry import timed_query

#: A chart with more steps than this is no longer a chart.
MAX_POINTS = 2_000


@timed_query("health")
def health(reading: Reading, scope: Scope, slug: str, window: Window) -> Health:
    """One integration over a window; `NotFound` outside the scope, `BadQuery` for a window that
    is empty. The sentence names the operations that fail, if any do."""
    view = integration_within(reading, scope, slug)
    grid = on_the_minute(window)
    rollups = reading.store.rollups(grid, integrations=[slug])

    def evidence() -> Mapping[str, int]:
        return bad_by_operation(reading.store.rollups(grid, integrations=[slug], operations=True))

    return judge(view, rollups, evidence, now_us=reading.clock())


@timed_query("league")
def league(reading: Reading, scope: Scope, window: Window) -> list[tuple[IntegrationView, Health]]:
    """Every integration within the scope over a window, worst status first, then most traffic.

    A scope that covers everything also sees `unattributed`, when it had traffic. Sentences leave
    the operations out: naming them would read a row per operation of every integration.
    """
    views = integrations_within(reading, scope)
    everything = scope.covers(None)
    rollups = reading.store.rollups(
        on_the_minute(window),
        integrations=None if everything else [view.slug for view in views],
    )
    if everything and any(s.integration == UNATTRIBUTED_VIEW.slug for s in rollups.series):
        views.append(UNATTRIBUTED_VIEW)
    judged = judge_all(views, rollups, now_us=reading.clock())
    pairs = zip(views, judged, strict=True)
    return sorted(pairs, key=lambda it: (RANK[Status(it[1].status)], -it[1].proxied, it[0].slug))


@timed_query("series")
def series(reading: Reading, scope: Scope, slug: str, window: Window, step_us: int) -> SeriesView:
    """Every step of a window, dense.

    `BadQuery` for a step that is no whole number of minutes, or that cuts the window into more
    than `MAX_POINTS` steps.
    """
    integration_within(reading, scope, slug)
    grid = on_the_minute(window)
    checked_step(grid, step_us)
    rollups = reading.store.rollups(grid, integrations=[slug], step_us=step_us)
    return series_of(rollups, step_us)


@timed_query("operations")
def operations(reading: Reading, scope: Scope, slug: str, window: Window) -> list[OperationView]:
    """The operations of one integration, most bad exchanges first, then most exchanges."""
    integration_within(reading, scope, slug)
    rollups = reading.store.rollups(on_the_minute(window), integrations=[slug], operations=True)
    return operations_of(rollups)


def on_the_minute(window: Window) -> Window:
    """The window widened to the minute grid; `BadQuery` when it is empty."""
    if window.length_us <= 0:
        raise BadQuery("from", "a window ends after it starts")
    return Window(floor(window.start_us, MINUTE_US), ceil(window.end_us, MINUTE_US))


def checked_step(window: Window, step_us: int) -> None:
    """`BadQuery` for a step that is no whole number of minutes, or too short for the window."""
    if step_us <= 0 or step_us % MINUTE_US:
        raise BadQuery("step", "a step is a whole number of minutes")
    if window.length_us // step_us > MAX_POINTS:
        raise BadQuery("step", f"more than {MAX_POINTS} steps; take a longer step")


def bad_by_operation(rollups: Rollups) -> Mapping[str, int]:
    """How many bad exchanges each operation had, from rows by operation."""
    sums = np.bincount(rollups.series_index, weights=rollups.bad, minlength=len(rollups.series))
    found: dict[str, int] = defaultdict(int)
    for each, bad in zip(rollups.series, sums.astype(np.int64).tolist(), strict=True):
        if bad:
            found[each.operation] += bad
    return found


def series_of(rollups: Rollups, step_us: int) -> SeriesView:
    """The steps that rows of `step_us` add up to."""
    first_us, steps, size = numbered(rollups, step_us)
    return SeriesView(
        rollups.window, step_us, points(add_up(rollups, steps, size), first_us, step_us)
    )


def numbered(rollups: Rollups, step_us: int) -> tuple[int, Ints, int]:
    """When the first step starts, the step of every row, and how many there are."""
    first_us = floor(rollups.window.start_us, step_us)
    size = (ceil(rollups.window.end_us, step_us) - first_us) // step_us
    return first_us, (rollups.t_us - first_us) // step_us, size


def points(sums: Sums, first_us: int, step_us: int) -> tuple[Point, ...]:
    """The points of a series from the sums of its steps."""
    columns = zip(
        sums.exchanges.tolist(),
        sums.good.tolist(),
        sums.bad.tolist(),
        sums.excluded.tolist(),
        sums.shed.tolist(),
        outcomes_of(sums.cube),
        latencies(sums.latency),
        strict=True,
    )
    return tuple(Point(first_us + step_us * place, *row) for place, row in enumerate(columns))


def operations_of(rollups: Rollups) -> list[OperationView]:
    """The operations that rows by operation add up to, most bad exchanges first."""
    sums = add_up(rollups, rollups.series_index, len(rollups.series))
    faults = faults_of(sums.cube)
    timings = latencies(sums.latency)
    found = [
        OperationView(
            operation=each.operation,
            direction=Direction(each.direction).word,
            kind=Kind(each.kind).word,
            exchanges=int(sums.exchanges[i]),
            good=int(sums.good[i]),
            bad=int(sums.bad[i]),
            excluded=int(sums.excluded[i]),
            error_ratio=error_ratio(int(sums.good[i]), int(sums.bad[i])),
            latency_ms=timings[i],
            main_fault=main_fault(faults[i]),
        )
        for i, each in enumerate(rollups.series)
    ]
    return sorted(found, key=lambda it: (-it.bad, -it.exchanges, it.operation, it.direction))

"""One integration over time, from one reading of its rows: everything its charts draw."""

from dataclasses import dataclass

import numpy as np

from app.domain import histogram
from app.domain.episode import Episode
from app.domain.objective import error_ratio
from app.domain.phrases import main_fault
from app.domain.scope import Scope
from app.domain.window import DAY_US, MINUTE_US, Window, floor
from app.domain.words import Direction, Kind
from app.queries.assessing import objectives_of, statuses
from app.queries.counting import Ints, Sums, add_up, faults_of, latencies
from app.queries.health import checked_step, numbered, on_the_minute, points
from app.queries.reading import Reading
from app.queries.registry import integration_within
from app.queries.results import IntegrationView, Latency, SeriesView
from app.queries.trouble import episodes_of
from app.store.port import Rollups
from app.telemetry import timed_query

#: Positions of the histogram that make one band of the heat map: half an octave.
_BAND = histogram.PER_OCTAVE // 2
_DAYS = 90


@dataclass(frozen=True, slots=True)
class Heat:
    """How many timed exchanges took how long in each step. `counts[b][s]` of band b and step s;
    band b lies above `edges_ms[b]`, up to and including `edges_ms[b + 1]`."""

    edges_ms: tuple[float, ...]
    counts: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class WayView:
    """One direction and kind over the whole window."""

    direction: str
    kind: str
    exchanges: int
    good: int
    bad: int
    excluded: int
    error_ratio: float | None
    latency_ms: Latency
    main_fault: str | None
    by_step: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Timeline:
    """`series` with, for every one of its points, failures by fault; what was in trouble when;
    the heat map; and the ways (direction and kind) that had traffic."""

    series: SeriesView
    by_fault: tuple[dict[str, int], ...]
    episodes: tuple[Episode, ...]
    heat: Heat
    ways: tuple[WayView, ...]


@dataclass(frozen=True, slots=True)
class DayView:
    """One UTC day; the last one is running."""

    start_us: int
    status: str
    good: int
    bad: int
    excluded: int


@timed_query("timeline")
def timeline(reading: Reading, scope: Scope, slug: str, window: Window, step_us: int) -> Timeline:
    """Every step of a window; `NotFound` outside the scope, `BadQuery` as `series` has it."""
    view = integration_within(reading, scope, slug)
    grid = on_the_minute(window)
    checked_step(grid, step_us)
    return timeline_of(
        view, reading.store.rollups(grid, integrations=[slug], step_us=step_us), step_us
    )


def timeline_of(view: IntegrationView, rollups: Rollups, step_us: int) -> Timeline:
    """What rows of `step_us` of one integration add up to."""
    first_us, steps, size = numbered(rollups, step_us)
    sums = add_up(rollups, steps, size)
    return Timeline(
        SeriesView(rollups.window, step_us, points(sums, first_us, step_us)),
        tuple(faults_of(sums.cube)),
        tuple(episodes_of(sums, view.objectives, first_us, step_us, rollups.window)),
        _heat(sums.latency),
        _ways(rollups, steps, len(sums.good)),
    )


@timed_query("days")
def days(reading: Reading, scope: Scope, slug: str, count: int = _DAYS) -> list[DayView]:
    """The last `count` days up to today, oldest first, UTC."""
    view = integration_within(reading, scope, slug)
    today_us = floor(reading.clock(), DAY_US)
    first_us = today_us - (count - 1) * DAY_US
    window = Window(first_us, floor(reading.clock(), MINUTE_US) + MINUTE_US)
    rollups = reading.store.rollups(window, integrations=[slug], step_us=DAY_US)
    sums = add_up(rollups, np.maximum(rollups.t_us - first_us, 0) // DAY_US, count)
    judged = statuses(sums, objectives_of(view.objectives))
    columns = zip(
        judged, sums.good.tolist(), sums.bad.tolist(), sums.excluded.tolist(), strict=True
    )
    return [
        DayView(first_us + place * DAY_US, status.value, *counts)
        for place, (status, *counts) in enumerate(columns)
    ]


def _heat(rows: Ints) -> Heat:
    """`rows` of shape (steps, BUCKETS), cut to the bands that hold anything."""
    used = np.flatnonzero(rows.any(axis=0))
    if not len(used):
        return Heat((), ())
    low, high = int(used[0]) // _BAND, int(used[-1]) // _BAND + 1
    padded = np.pad(rows, ((0, 0), (0, -rows.shape[1] % _BAND)))
    bands = padded.reshape(len(rows), -1, _BAND).sum(axis=2)[:, low:high].T
    edges = [histogram.LOWER_US[band * _BAND] / 1000 for band in range(low, high)]
    last = histogram.UPPER_US[min(high * _BAND, histogram.BUCKETS) - 1] / 1000
    return Heat((*edges, last), tuple(map(tuple, bands.tolist())))


def _ways(rollups: Rollups, steps: Ints, size: int) -> tuple[WayView, ...]:
    """Most exchanges first."""
    sums = add_up(rollups, rollups.series_index, len(rollups.series))
    faults, timings = faults_of(sums.cube), latencies(sums.latency)
    flat = rollups.series_index * size + steps
    crossed = np.bincount(flat, weights=rollups.exchanges, minlength=len(rollups.series) * size)
    by_step = crossed.astype(np.int64).reshape(-1, size).tolist()
    found = [
        WayView(
            Direction(each.direction).word,
            Kind(each.kind).word,
            *_counts(sums, place),
            latency_ms=timings[place],
            main_fault=main_fault(faults[place]),
            by_step=tuple(by_step[place]),
        )
        for place, each in enumerate(rollups.series)
    ]
    return tuple(sorted(found, key=lambda way: -way.exchanges))


def _counts(sums: Sums, place: int) -> tuple[int, int, int, int, float | None]:
    good, bad = int(sums.good[place]), int(sums.bad[place])
    ratio = error_ratio(good, bad)
    return int(sums.exchanges[place]), good, bad, int(sums.excluded[place]), ratio

"""Counts the raw rows of a metrics store again, apart from the code that made its rollups."""

from collections import Counter
from pathlib import Path

import numpy as np

from app.domain.histogram import BUCKETS, from_values
from app.domain.histogram import decode_into as merge
from app.domain.outcome import TIMED_OUTCOMES
from app.domain.tally import CELLS, cell
from app.domain.window import DAY_US, MINUTE_US, Window, floor
from app.store.open import open_store
from app.store.port import MetricsStore, StoredExchange

_EVER = Window(0, 7_258_118_400_000_000)  # to the year 2200
Key = tuple[str, int, int, str]


def differences(store_url: str) -> list[str]:
    """Where rollups and raw rows of the store disagree, at both levels; empty when they agree."""
    store = open_store(store_url)
    try:
        rows = [row for rows in store.iterate(_EVER) for row in rows]
        return [
            problem
            for operations in (False, True)
            for problem in _compare(store, rows, operations=operations)
        ] + _compare_activity(store, rows)
    finally:
        store.close()


def _compare(store: MetricsStore, rows: list[StoredExchange], *, operations: bool) -> list[str]:
    groups: dict[Key, list[StoredExchange]] = {}
    for row in rows:
        name = row.operation if operations else ""
        groups.setdefault((row.integration, row.direction, row.kind, name), []).append(row)
    span = Window(floor(min(row.started_us for row in rows), MINUTE_US), _EVER.end_us)
    rollups = store.rollups(span, operations=operations)
    width = len(rollups.series)
    tallies = merge(rollups.tally, rollups.series_index, (width, CELLS))
    latencies = merge(rollups.latency, rollups.series_index, (width, BUCKETS))
    sums = np.bincount(rollups.series_index, weights=rollups.exchanges, minlength=width)
    problems = []
    for at, series in enumerate(rollups.series):
        key = (series.integration, series.direction, series.kind, series.operation)
        expected = groups.pop(key, [])
        if sums[at] != len(expected):
            problems.append(f"{key}: {int(sums[at])} in rollups, {len(expected)} raw rows")
        if not np.array_equal(tallies[at], _tally(expected)):
            problems.append(f"{key}: counts by outcome, fault and verdict differ")
        if not np.array_equal(latencies[at], _latency(expected)):
            problems.append(f"{key}: latency histograms differ")
    return problems + [f"{key}: {len(rows)} raw rows, no rollup" for key, rows in groups.items()]


def _compare_activity(store: MetricsStore, rows: list[StoredExchange]) -> list[str]:
    expected = Counter(
        (row.integration, row.installation, row.direction, row.kind, floor(row.started_us, DAY_US))
        for row in rows
        if row.installation
    )
    since = Window(floor(min(row.started_us for row in rows), DAY_US), _EVER.end_us)
    found = {
        (*row[:2], row.direction, row.kind, row.day_us): row.exchanges
        for row in store.activity(since).rows()
    }
    return [
        f"{key}: {found.get(key, 0)} in activity, {expected[key]} raw rows"
        for key in found.keys() | expected.keys()
        if found.get(key, 0) != expected[key]
    ]


def _tally(rows: list[StoredExchange]) -> np.ndarray:
    cells = Counter(cell(row.outcome, row.fault, row.verdict) for row in rows)
    return np.array([cells[at] for at in range(CELLS)], dtype=np.int64)


def _latency(rows: list[StoredExchange]) -> np.ndarray:
    timed = [row.total_us for row in rows if row.outcome in TIMED_OUTCOMES]
    return from_values(np.array(timed, dtype=np.int64))


def raw_rows(home: Path) -> list[StoredExchange]:
    """Every exchange in the embedded store of a home, oldest first."""
    store = open_store(f"sqlite:///{home}/metrics.db")
    try:
        return [row for rows in store.iterate(_EVER) for row in rows]
    finally:
        store.close()

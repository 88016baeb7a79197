"""Rollup rows into sums per group, all groups at once.

A group is whatever the caller numbers the rows by: an integration, a step of a chart, an
operation. Every sum here is exact: counts stay far below the 2^53 that a double holds.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from app.domain import histogram
from app.domain.tally import CELLS
from app.domain.words import Fault, Outcome, Verdict, Word
from app.queries.results import Latency
from app.store.port import Rollups

Ints = NDArray[np.int64]
_OUTCOMES = tuple(each.word for each in Outcome)
_FAULTS = tuple(each.word for each in Fault)
_QUANTILES = (0.5, 0.95, 0.99)


@dataclass(frozen=True, slots=True)
class Sums:
    """Row g of every array belongs to group g. Shapes: (groups,), `cube` (groups, outcomes,
    faults, verdicts), `latency` (groups, BUCKETS)."""

    exchanges: Ints
    good: Ints
    bad: Ints
    excluded: Ints
    shed: Ints
    request_bytes: Ints
    response_bytes: Ints
    cube: Ints
    latency: Ints


@dataclass(frozen=True, slots=True)
class Named:
    """The marginals of every group's cube as words, what did not occur left out."""

    by_outcome: list[dict[str, int]]
    by_fault: list[dict[str, int]]
    bad_by_outcome: list[dict[str, int]]
    bad_by_fault: list[dict[str, int]]
    excluded_by_fault: list[dict[str, int]]


def add_up(rollups: Rollups, groups: Ints, size: int) -> Sums:
    """Sum rows into `size` groups; row i goes to `groups[i]`."""

    def plain(column: Ints) -> Ints:
        return np.bincount(groups, weights=column, minlength=size).astype(np.int64)

    tally = histogram.decode_into(rollups.tally, groups, (size, CELLS))
    return Sums(
        exchanges=plain(rollups.exchanges),
        good=plain(rollups.good),
        bad=plain(rollups.bad),
        excluded=plain(rollups.excluded),
        shed=plain(rollups.shed),
        request_bytes=plain(rollups.request_bytes),
        response_bytes=plain(rollups.response_bytes),
        cube=tally.reshape(size, len(Outcome), len(Fault), len(Verdict)),
        latency=histogram.decode_into(rollups.latency, groups, (size, histogram.BUCKETS)),
    )


def plus(one: Sums, other: Sums) -> Sums:
    """The sums of both, group by group."""
    return Sums(*(getattr(one, each.name) + getattr(other, each.name) for each in fields(Sums)))


def fold_steps(sums: Sums, together: int) -> Sums:
    """The same sums with every `together` groups that follow each other as one."""
    starts = np.arange(0, len(sums.good), together)

    def folded(column: Ints) -> Ints:
        return np.add.reduceat(column, starts, axis=0)

    return Sums(*(folded(getattr(sums, each.name)) for each in fields(Sums)))


def part_of(sums: Sums, start: int, stop: int) -> Sums:
    """The groups from `start` to before `stop`."""
    return Sums(*(getattr(sums, each.name)[start:stop] for each in fields(Sums)))


def name_all(cube: Ints) -> Named:
    """The marginals of `cube`, shape (groups, outcomes, faults, verdicts)."""
    bad, excluded = cube[..., Verdict.BAD], cube[..., Verdict.EXCLUDED]
    return Named(
        by_outcome=outcomes_of(cube),
        by_fault=faults_of(cube),
        bad_by_outcome=_words(_OUTCOMES, bad.sum(axis=2)),
        bad_by_fault=_faults(bad.sum(axis=1)),
        excluded_by_fault=_faults(excluded.sum(axis=1)),
    )


def outcomes_of(cube: Ints) -> list[dict[str, int]]:
    """The outcomes of every group, what did not occur left out."""
    return _words(_OUTCOMES, cube.sum(axis=(2, 3)))


def faults_of(cube: Ints) -> list[dict[str, int]]:
    """The faults of every group: who has to act, on how many."""
    return _faults(cube.sum(axis=(1, 3)))


def answered(cube: Ints) -> list[int]:
    """How many exchanges of each group got an HTTP answer."""
    codes: list[Word] = [Outcome.OK, Outcome.CLIENT_ERROR, Outcome.SERVER_ERROR]
    counts: list[int] = cube[:, codes].sum(axis=(1, 2, 3)).tolist()
    return counts


def latencies(rows: Ints) -> list[Latency]:
    """p50, p95 and p99 in milliseconds of each histogram, shape (groups, BUCKETS)."""
    found = histogram.quantiles(rows, _QUANTILES) / 1000.0
    return [
        Latency(*(None if np.isnan(value) else round(value, 3) for value in row))
        for row in found.tolist()
    ]


def _faults(sums: Ints) -> list[dict[str, int]]:
    sums[:, Fault.NONE] = 0  # nobody has to act on those
    return _words(_FAULTS, sums)


def _words(words: Sequence[str], sums: Ints) -> list[dict[str, int]]:
    found: list[dict[str, int]] = [{} for _ in range(len(sums))]
    rows, columns = np.nonzero(sums)
    for row, column, number in zip(
        rows.tolist(), columns.tolist(), sums[rows, columns].tolist(), strict=True
    ):
        found[row][words[column]] = number
    return found

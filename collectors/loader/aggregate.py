"""Rows into sums: per minute, for each integration and for each operation of it. Pure.

One sort of packed keys per level, then sums over runs (`reduceat`): no work per exchange in
Python but to take its numbers out of the row.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from operator import itemgetter
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.domain import histogram, tally
from app.domain.outcome import TIMED_OUTCOMES, TUNNEL_STATUS
from app.domain.window import MINUTE_US, floor
from app.domain.words import Outcome, Verdict
from app.store.port import Series, StoredExchange, Sum
from collectors.record import Loss

_PAIR_BYTES = len(histogram.encode_sparse(np.zeros(1, np.int64), np.zeros(1, np.int64)))
_AT = {name: position for position, name in enumerate(StoredExchange._fields)}
_TIMED = np.array([outcome in TIMED_OUTCOMES for outcome in Outcome])
_series_of = itemgetter(*(_AT[name] for name in ("integration", "direction", "kind", "operation")))

Ints = NDArray[np.int64]
_Key = tuple[str, int, int, str]


def aggregate(rows: Sequence[StoredExchange], losses: Sequence[Loss] = ()) -> list[Sum]:
    """What `rows` and `losses` add to the rollups; each (series, minute) once, both levels."""
    sums: list[Sum] = []
    if rows:
        columns = _columns(rows)
        operations, of_operation = _number(map(_series_of, rows))
        wholes, of_whole = _number([(*key[:3], "") for key in operations])
        sums = _sums([Series(*key) for key in wholes], of_whole[of_operation], columns)
        sums += _sums([Series(*key) for key in operations], of_operation, columns)
    return _with_losses(sums, losses) if losses else sums


class _Columns(NamedTuple):
    """One number per row, shape (n,). `minute` counts from the first, `start_us`."""

    start_us: int
    minute: Ints
    #: Shape (6, n): good, bad, excluded, duration if timed, request bytes, response bytes.
    adding: Ints
    cell: Ints
    position: Ints
    timed: NDArray[np.bool_]


def _columns(rows: Sequence[StoredExchange]) -> _Columns:
    def column(name: str) -> Ints:
        return np.fromiter(map(itemgetter(_AT[name]), rows), np.int64, len(rows))

    minute = column("started_us") // MINUTE_US
    outcome, fault, verdict = column("outcome"), column("fault"), column("verdict")
    timed = _TIMED[outcome] & (column("status") != TUNNEL_STATUS)
    total_us = np.where(timed, np.maximum(column("total_us"), 0), 0)
    first = int(minute.min())
    adding = [verdict == Verdict.GOOD, verdict == Verdict.BAD, verdict == Verdict.EXCLUDED]
    sizes = [np.maximum(column("request_bytes"), 0), np.maximum(column("response_bytes"), 0)]
    return _Columns(
        first * MINUTE_US,
        minute - first,
        np.stack([*adding, total_us, *sizes]).astype(np.int64),
        _cells(outcome, fault, verdict),
        histogram.position(total_us),
        timed,
    )


def _cells(outcome: Ints, fault: Ints, verdict: Ints) -> Ints:
    """`tally.cell` of whole columns: it is arithmetic, and works on arrays as it stands."""
    cells: Ints = tally.cell(outcome, fault, verdict)  # type: ignore[arg-type, assignment]
    return cells


def _number(keys: Iterable[_Key]) -> tuple[list[_Key], Ints]:
    """The distinct keys in order of appearance, and for each key its number, shape (n,)."""
    numbers: dict[_Key, int] = {}
    found = [numbers.setdefault(key, len(numbers)) for key in keys]
    return list(numbers), np.array(found, dtype=np.int64)


def _sums(series: list[Series], series_of: Ints, columns: _Columns) -> list[Sum]:
    """One Sum per series and minute; `series_of` numbers the series of each row, shape (n,)."""
    key = columns.minute * len(series) + series_of
    order = np.argsort(key, kind="stable")
    ordered = key[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    exchanges = np.diff(np.r_[starts, len(ordered)])
    group = np.repeat(np.arange(len(starts)), exchanges)
    timed = columns.timed[order]
    added = np.add.reduceat(columns.adding[:, order], starts, axis=1)
    tallies = _sparse(group, columns.cell[order], len(starts), tally.CELLS)
    latencies = _sparse(
        group[timed], columns.position[order][timed], len(starts), histogram.BUCKETS
    )
    minutes, owners = np.divmod(ordered[starts], len(series))
    return [
        Sum(series[owner], minute_us, n, good, bad, excluded, 0, total_us, sent, received, *blobs)
        for owner, minute_us, n, (good, bad, excluded, total_us, sent, received), blobs in zip(
            owners.tolist(),
            (minutes * MINUTE_US + columns.start_us).tolist(),
            exchanges.tolist(),
            added.T.tolist(),
            zip(tallies, latencies, strict=True),
            strict=True,
        )
    ]


def _sparse(group: Ints, position: Ints, groups: int, width: int) -> list[bytes]:
    """For each group the sparse coding of how often each position occurs in it."""
    keys, counts = np.unique(group * width + position, return_counts=True)
    coded = histogram.encode_sparse(keys % width, counts)
    bounds = np.searchsorted(keys, np.arange(groups + 1) * width) * _PAIR_BYTES
    return [coded[start:end] for start, end in pairwise(bounds.tolist())]


def _with_losses(sums: list[Sum], losses: Sequence[Loss]) -> list[Sum]:
    """Add the losses to the series of their integrations."""
    by_key = {(item.series, item.minute_us): item for item in sums}
    for loss in losses:
        series = Series(loss.integration, loss.direction, loss.kind)
        minute_us = floor(loss.minute_us, MINUTE_US)
        found = by_key.get((series, minute_us)) or _nothing(series, minute_us)
        by_key[series, minute_us] = found._replace(shed=found.shed + loss.count)
    return list(by_key.values())


def _nothing(series: Series, minute_us: int) -> Sum:
    return Sum(series, minute_us, 0, 0, 0, 0, 0, 0, 0, 0, b"", b"")

"""Exchanges to store, the sums a loader would make of them, and the recount that must agree.

The recount knows nothing of rollups: it looks at every exchange.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from itertools import count

import numpy as np

from app.domain import histogram
from app.domain.ids import exchange_id
from app.domain.outcome import TIMED_OUTCOMES
from app.domain.tally import CELLS, cell
from app.domain.window import HOUR_US, MINUTE_US, Window, floor
from app.domain.words import Fault, Outcome, Verdict
from app.store.port import Batch, MetricsStore, Rollups, Series, StoredExchange, Sum

#: A Thursday, 13:47:12.5 UTC.
NOW_US = 1_763_646_432_500_000
_counter = count()

Counted = dict[str, object]


def exchange(started_us: int = NOW_US, **fields: object) -> StoredExchange:
    """One exchange; every field that is not given is plain."""
    plain: dict[str, object] = {
        "id": exchange_id(started_us, 7, next(_counter)),
        "started_us": started_us,
        "direction": 0,
        "kind": 0,
        "integration": "globex",
        "operation": "GET /v1/issues/{id}",
        "installation": "inst-1",
        "customer": "cust-1",
        "topic": "",
        "method": "GET",
        "path": "/v1/issues/17",
        "status": 200,
        "outcome": 0,
        "fault": 0,
        "verdict": 0,
        "error": "",
        "error_detail": "",
        "queue_us": 120,
        "connect_us": 0,
        "tls_us": -1,
        "first_byte_us": 20_000,
        "total_us": 23_456,
        "request_bytes": 0,
        "response_bytes": 512,
        "delivery": "",
        "attempt": 1,
        "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
        "captured": False,
    }
    return StoredExchange(**{**plain, **fields})


def failure(started_us: int = NOW_US, **fields: object) -> StoredExchange:
    plain = {
        "status": 503,
        "outcome": int(Outcome.SERVER_ERROR),
        "fault": int(Fault.PARTNER),
        "verdict": int(Verdict.BAD),
        "error_detail": "answered 503",
    }
    return exchange(started_us, **{**plain, **fields})


def batch_of(exchanges: Sequence[StoredExchange], **fields: object) -> Batch:
    return Batch(exchanges=exchanges, sums=sums_of(exchanges), **fields)


def sums_of(exchanges: Iterable[StoredExchange]) -> list[Sum]:
    groups: dict[tuple[Series, int], list[StoredExchange]] = defaultdict(list)
    for each in exchanges:
        minute_us = floor(each.started_us, MINUTE_US)
        for operation in ("", each.operation):
            series = Series(each.integration, each.direction, each.kind, operation)
            groups[series, minute_us].append(each)
    return [_sum(series, minute_us, rows) for (series, minute_us), rows in groups.items()]


def shed(minute_us: int, number: int, integration: str = "globex") -> Sum:
    return Sum(Series(integration, 0, 0), minute_us, 0, 0, 0, 0, number, 0, 0, 0, b"", b"")


def _sum(series: Series, minute_us: int, rows: list[StoredExchange]) -> Sum:
    counted = count_up(rows)
    return Sum(
        series,
        minute_us,
        **{name: counted[name] for name in _NUMBERS},
        shed=0,
        tally=histogram.encode_dense(np.array(counted["tally"])),
        latency=histogram.encode_dense(np.array(counted["latency"])),
    )


_NUMBERS = (
    "exchanges",
    "good",
    "bad",
    "excluded",
    "total_us",
    "request_bytes",
    "response_bytes",
)


def count_up(rows: Sequence[StoredExchange]) -> Counted:
    """Everything a rollup says about `rows`, counted one by one."""
    timed = [each.total_us for each in rows if each.outcome in TIMED_OUTCOMES]
    cells = Counter(cell(each.outcome, each.fault, each.verdict) for each in rows)
    return {
        "exchanges": len(rows),
        "good": sum(each.verdict == Verdict.GOOD for each in rows),
        "bad": sum(each.verdict == Verdict.BAD for each in rows),
        "excluded": sum(each.verdict == Verdict.EXCLUDED for each in rows),
        "total_us": sum(timed),
        "request_bytes": sum(each.request_bytes for each in rows),
        "response_bytes": sum(each.response_bytes for each in rows),
        "tally": [cells[place] for place in range(CELLS)],
        "latency": histogram.from_values(np.array(timed, dtype=np.int64)).tolist(),
    }


def recount(
    rows: Iterable[StoredExchange], window: Window, *, operations: bool, step_us: int | None = None
) -> dict[tuple[Series, int], Counted]:
    """What a question must be answered with, by series and step."""
    groups: dict[tuple[Series, int], list[StoredExchange]] = defaultdict(list)
    for each in rows:
        if window.start_us <= each.started_us < window.end_us:
            name = each.operation if operations else ""
            series = Series(each.integration, each.direction, each.kind, name)
            at_us = floor(each.started_us, step_us) if step_us else 0
            groups[series, at_us].append(each)
    return {key: count_up(found) for key, found in groups.items()}


def added_up(rollups: Rollups, step_us: int | None = None) -> dict[tuple[Series, int], Counted]:
    """What a store answered, by series and step."""
    places: dict[tuple[Series, int], list[int]] = defaultdict(list)
    for row, (index, t_us) in enumerate(
        zip(rollups.series_index.tolist(), rollups.t_us.tolist(), strict=True)
    ):
        at_us = floor(t_us, step_us) if step_us else 0
        places[rollups.series[index], at_us].append(row)
    return {key: _rows_added_up(rollups, rows) for key, rows in places.items()}


def _rows_added_up(rollups: Rollups, rows: list[int]) -> Counted:
    one = np.zeros(len(rows), dtype=np.int64)

    def merged(blobs: Sequence[bytes], width: int) -> list[int]:
        return histogram.decode_into([blobs[row] for row in rows], one, (1, width))[0].tolist()

    numbers = {name: int(getattr(rollups, name)[rows].sum()) for name in _NUMBERS}
    return {
        **numbers,
        "tally": merged(rollups.tally, CELLS),
        "latency": merged(rollups.latency, histogram.BUCKETS),
    }


def everything(store: MetricsStore) -> list[StoredExchange]:
    return [each for found in store.iterate(Window(0, NOW_US * 2), 100) for each in found]


def assert_agrees(
    store: MetricsStore,
    rows: Sequence[StoredExchange],
    window: Window,
    step_us: int | None = None,
) -> None:
    """Both levels of the rollups over `window` equal the recount of `rows`."""
    for operations in (False, True):
        answer = store.rollups(window, operations=operations, step_us=step_us)
        assert answer.window.start_us <= floor(window.start_us, MINUTE_US)
        assert answer.window.end_us >= window.end_us
        assert answer.window.length_us <= window.length_us + 49 * HOUR_US
        expected = recount(rows, answer.window, operations=operations, step_us=step_us)
        assert added_up(answer, step_us) == expected

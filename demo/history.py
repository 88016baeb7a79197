"""The back-fill: the drawn past into the metrics store, the newest first.

Records go through the loader's own `Preparer`, so the past is judged, named, scrubbed and summed
by the code that does it for live traffic. A batch and how far the back-fill has come are one
transaction: it may be killed and started again, and nothing is loaded twice. Transactions are
short, because a SQLite file has one writer at a time and live traffic comes first.
"""

import time
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np

from app.domain.histogram import encode_sparse
from app.domain.window import DAY_US, HOUR_US
from app.errors import StoreUnavailable
from app.store.port import Batch, MetricsStore, Position, Sum
from collectors.loader.batch import Preparer
from demo.draw import Block
from demo.model import Model
from demo.past import RAW_US, records

#: The name under which the store keeps how far the back-fill has come.
JOURNAL = "demo-history"
_BATCH = 4_000
_TRY_AGAIN_S = 0.5
_PAIR = np.dtype([("position", "<u2"), ("count", "<u4")])


def load_history(
    store: MetricsStore, preparer: Preparer, model: Model, past: Sequence[Block]
) -> Iterator[str]:
    """Load what of `past`, newest block first, is not loaded yet; yields lines that say how far
    it is."""
    first = store.positions().get(JOURNAL, Position(0, 0, 0)).segment
    begun_s, told_us, loaded = time.monotonic(), 0, 0
    for number, block in enumerate(past[first:], first):
        loaded += _load_block(store, preparer, model, number, block)
        reached_us = model.anchor_us - block.window.start_us
        if reached_us - told_us >= _step_us(reached_us) or number + 1 == len(past):
            told_us, spent_s = reached_us, time.monotonic() - begun_s
            reached = f"{_span(reached_us)} days back-filled"
            yield f"history: {reached} after {spent_s:.0f} s ({loaded:,} exchanges drawn)"


def scaled(sums: Sequence[Sum], factor: int) -> list[Sum]:
    """The sums of a sample, one exchange of `factor`, brought to the height of the whole."""
    tallies = _scaled([each.tally for each in sums], factor)
    latencies = _scaled([each.latency for each in sums], factor)
    return [
        each._replace(
            exchanges=each.exchanges * factor,
            good=each.good * factor,
            bad=each.bad * factor,
            excluded=each.excluded * factor,
            total_us=each.total_us * factor,
            request_bytes=each.request_bytes * factor,
            response_bytes=each.response_bytes * factor,
            tally=tally,
            latency=latency,
        )
        for each, tally, latency in zip(sums, tallies, latencies, strict=True)
    ]


def _load_block(
    store: MetricsStore, preparer: Preparer, model: Model, number: int, block: Block
) -> int:
    """Load one block, less what of it is loaded already; how many exchanges it has."""
    drawn = records(model, block)
    done = store.positions().get(JOURNAL, Position(number, 0, 0))
    start = done.offset if done.segment == number else 0
    while True:
        part = drawn[start : start + _BATCH]
        start += len(part)
        last = start >= len(drawn)
        position = Position(number + 1, 0, 0) if last else Position(number, start, 0)
        batch = preparer.prepare(part, positions={JOURNAL: position}).batch
        _append(store, batch if block.one_in == 1 else _sample(batch, block.one_in))
        if last:
            return len(drawn)


def _sample(batch: Batch, one_in: int) -> Batch:
    """Of a sample only sums are kept: raw exchanges that old are past their retention."""
    errors = [each._replace(exchanges=each.exchanges * one_in) for each in batch.errors]
    return Batch(
        sums=scaled(batch.sums, one_in),
        positions=batch.positions,
        errors=errors,
        activity=batch.activity.scaled(one_in),
    )


def _append(store: MetricsStore, batch: Batch) -> None:
    while True:
        try:
            return store.append(batch)
        except StoreUnavailable:
            time.sleep(_TRY_AGAIN_S)


def _scaled(blobs: Sequence[bytes], factor: int) -> list[bytes]:
    pairs = np.frombuffer(b"".join(blobs), dtype=_PAIR)
    joined = encode_sparse(pairs["position"], pairs["count"].astype(np.int64) * factor)
    ends = np.cumsum([len(blob) for blob in blobs]).tolist()
    return [joined[begin:end] for begin, end in pairwise([0, *ends])]


def _step_us(reached_us: int) -> int:
    """How often to say how far it is: every six hours of the last day, then every ten days."""
    return 6 * HOUR_US if reached_us <= RAW_US else 10 * DAY_US


def _span(length_us: int) -> str:
    return f"{length_us / DAY_US:.2f}".rstrip("0").rstrip(".")

"""Thirty days of exchanges in a SQLite store, through the loader's own aggregation.

200 integrations (Zipf 0.8) of 20 operations each (Zipf 1), in time order, as a back-fill writes
them. Deterministic, and resumable: each batch commits where it stands, like a journal's loader.
"""

import gc
import time
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.domain.outcome import judge
from app.domain.window import DAY_US
from app.domain.words import Direction, Outcome
from app.store import schema
from app.store.open import open_store
from app.store.port import Batch, Position, Retention, StoredExchange
from collectors.loader.activity import activity
from collectors.loader.aggregate import aggregate
from collectors.loader.grouping import group

INTEGRATIONS, OPERATIONS, DAYS = 200, 20, 30
#: A Saturday, 13:57:30 UTC: hours and minutes of a day that is running have to be read too.
END_US = 1_763_819_850_000_000
START_US = END_US - DAYS * DAY_US
RETENTION = Retention(365 * DAY_US, 365 * DAY_US)
BATCH = 50_000
_JOURNAL = "bench"
_SEED = 20_261_122

Ints = NDArray[np.int64]
Judged = dict[int, list[tuple[int, int, int, int, str, str]]]

SLUGS = [f"integration-{number:03d}" for number in range(INTEGRATIONS)]
#: Outcome, status, error code and what was said of it, and how likely.
_ENDS = (
    (0, 200, "", "", 0.95),
    (1, 404, "", "no such resource in this workspace", 0.02),
    (2, 503, "", "pool exhausted, 64 of 64 connections busy", 0.02),
    (3, 0, "first_byte_timeout", "no byte of an answer within 10000 ms", 0.01),
)
#: Direction and kind of each operation: calls out, webhooks, calls in.
_WAYS = [(0, 0)] * 12 + [(0, 1)] * 4 + [(1, 0)] * 4
_TEMPLATES = [f"POST /v1/resource-{number}/{{id}}/comments" for number in range(OPERATIONS)]


def fill(path: Path, exchanges: int) -> float:
    """Fill the store at `path` up to `exchanges`; seconds this took."""
    begun = time.perf_counter()
    url = f"sqlite:///{path}"
    schema.migrate(url)
    store = open_store(url)
    store.fold(END_US)
    store.expire(END_US, RETENTION)
    batches = -(-exchanges // BATCH)
    done = store.positions().get(_JOURNAL, Position(0, 0, 0)).segment
    gc.disable()  # a batch is hundreds of thousands of tuples and not one cycle
    for number in range(done, batches):
        rows = _rows(number, batches)
        position = {_JOURNAL: Position(number + 1, 0, 0)}
        store.append(batch_of(rows, position))
        if number % 20 == 19:
            rate = (number + 1 - done) * BATCH / (time.perf_counter() - begun)
            print(f"filled {(number + 1) * BATCH:,} of {exchanges:,}, {rate:,.0f}/s", flush=True)
    gc.enable()
    store.close()
    return time.perf_counter() - begun


def later(now_us: int, number: int) -> list[StoredExchange]:
    """New exchanges at `now_us`, as the loader would bring them while somebody reads; no run's
    are those of another, which the store may still hold."""
    random = np.random.default_rng()
    starts = np.full(number, now_us)
    ids = _ids(starts, int(random.integers(1 << 24, 1 << 40)))
    return [
        _row(ids[i], now_us, int(random.integers(INTEGRATIONS)), int(random.integers(OPERATIONS)),
             0, 90_000, i, judged=_judged())
        for i in range(number)
    ]  # fmt: skip


def batch_of(rows: list[StoredExchange], position: dict[str, Position]) -> Batch:
    """What a loader commits of `rows`: them, their sums and what failed among them."""
    return Batch(rows, (), aggregate(rows), position, group(rows, ()), activity(rows))


def _zipf(size: int, exponent: float) -> NDArray[np.float64]:
    weights = 1.0 / np.arange(1, size + 1) ** exponent
    found: NDArray[np.float64] = weights / weights.sum()
    return found


def _rows(number: int, batches: int) -> list[StoredExchange]:
    random = np.random.default_rng((_SEED, number))
    span_us = (END_US - START_US) // batches
    starts = np.sort(random.integers(0, span_us, BATCH)) + START_US + number * span_us
    integration = random.choice(INTEGRATIONS, BATCH, p=_zipf(INTEGRATIONS, 0.8))
    operation = random.choice(OPERATIONS, BATCH, p=_zipf(OPERATIONS, 1.0))
    end = random.choice(len(_ENDS), BATCH, p=[likely for *_, likely in _ENDS])
    total_us = random.lognormal(11.5 + integration % 7 / 5, 0.9).astype(np.int64)
    noise = random.integers(0, 1_000_000, BATCH)
    columns = (starts, integration, operation, end, total_us, noise)
    judged = _judged()
    return [
        _row(id_, *row, judged=judged)
        for id_, *row in zip(
            _ids(starts, number), *(column.tolist() for column in columns), strict=True
        )
    ]


@cache
def _judged() -> Judged:
    """How each of `_ENDS` is stored, by direction."""
    return {
        direction: [
            (status, outcome, *map(int, judge(Direction(direction), Outcome(outcome), status, "")),
             error, said)
            for outcome, status, error, said, _ in _ENDS
        ]
        for direction in (0, 1)
    }  # fmt: skip


def _row(
    id_: bytes, start: int, who: int, what: int, end: int, total: int, noise: int, *, judged: Judged
) -> StoredExchange:
    direction, kind = _WAYS[what]
    status, outcome, fault, verdict, error, said = judged[direction][end]
    # fmt: off
    return tuple.__new__(StoredExchange, (
        id_, start, direction, kind, SLUGS[who], _TEMPLATES[what], f"inst-{noise % 5000}",
        f"cust-{noise % 2000}", "issue.created" if kind else "", "POST",
        f"/v1/resource-{what}/{noise}/comments", status, outcome, fault, verdict, error, said,
        90, 0, -1, total // 2, total, noise % 9000, noise % 27_000, "", 1, f"{noise:032x}", False,
    ))
    # fmt: on


def _ids(starts: Ints, number: int) -> list[bytes]:
    """`app.domain.ids.exchange_id` of whole columns."""
    millis, micros = np.divmod(starts, 1000)
    head = (millis << 16) | 0x7000 | (micros * 4096 // 1000)
    tail = np.uint64(1 << 63) | (np.arange(len(starts)) + number * BATCH).astype(np.uint64)
    raw = np.column_stack((head.astype(">u8"), tail.astype(">u8"))).astype(">u8").tobytes()
    return [raw[at : at + 16] for at in range(0, len(raw), 16)]

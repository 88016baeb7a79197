"""Records, a store that remembers and can go away, and a brute-force recount."""

import itertools
from collections import Counter, defaultdict
from pathlib import Path

import msgspec
import numpy as np

from app.domain import histogram
from app.domain.ids import exchange_id
from app.domain.outcome import TIMED_OUTCOMES
from app.domain.tally import CELLS, cell
from app.domain.window import MINUTE_US
from app.errors import StoreRefused, StoreUnavailable
from app.store.port import Batch, Series
from collectors.journal import EXCHANGE, LOSS, Writer
from collectors.record import Exchange, Loss

#: A Sunday, 10:00 UTC.
NOW_US = 1_795_341_600_000_000
_numbers = itertools.count()
encode = msgspec.msgpack.encode


def exchange(started_us: int = NOW_US, **fields: object) -> Exchange:
    """One good GET of an issue; every field may be another."""
    plain: dict[str, object] = {
        "id": fields.get("id") or exchange_id(started_us, 7, next(_numbers)),
        "started_us": started_us,
        "direction": 0,
        "kind": 0,
        "integration": "globex",
        "installation": "inst-1",
        "customer": "cust-1",
        "operation": "",
        "topic": "",
        "method": "GET",
        "path": "/v1/issues/17",
        "status": 200,
        "outcome": 0,
        "error": "",
        "error_detail": "",
        "queue_us": 120,
        "connect_us": 0,
        "tls_us": -1,
        "first_byte_us": 20_000,
        "total_us": 23_456,
        "request_bytes": 10,
        "response_bytes": 512,
        "delivery": "",
        "attempt": 1,
        "trace_id": "",
        "capture": None,
    }
    return Exchange(**{**plain, **fields})


def open_journal(home: Path, name: str = "worker-0", segment_bytes: int = 1 << 20) -> Writer:
    return Writer(home / "journal" / name, segment_bytes, 1 << 30)


def write(writer: Writer, *records: Exchange | Loss) -> None:
    for record in records:
        frame_type = LOSS if isinstance(record, Loss) else EXCHANGE
        assert writer.append(frame_type, encode(record))


class MemoryStore:
    """A metrics store in memory: whole batches or nothing, no id twice; `away` makes it refuse."""

    def __init__(self) -> None:
        self.away = False
        self.rows: dict[bytes, tuple] = {}
        self.captures: dict[bytes, tuple] = {}
        self.sums: list = []
        self.journals: dict = {}
        self.attempts = 0
        self.batches: list[Batch] = []
        self.folds: list[int] = []
        self.expirable = 0

    def append(self, batch: Batch) -> None:
        self.attempts += 1
        self._answer()
        if any(row.id in self.rows for row in batch.exchanges):
            raise StoreRefused("an exchange is stored already")
        self.rows.update({row.id: row for row in batch.exchanges})
        self.captures.update({capture.id: capture for capture in batch.captures})
        self.sums += batch.sums
        self.journals.update(batch.positions)
        self.batches.append(batch)

    def positions(self) -> dict:
        self._answer()
        return dict(self.journals)

    def operations(self) -> dict:
        self._answer()
        found = defaultdict(set)
        for each in self.sums:
            if each.series.operation:
                found[each.series[:3]].add(each.series.operation)
        return {key: frozenset(names) for key, names in found.items()}

    def fold(self, now_us: int) -> int:
        self._answer()
        self.folds.append(now_us)
        return 3

    def expire(self, now_us: int, retention: object, limit: int = 20_000) -> int:
        self._answer()
        expired = min(limit, self.expirable)
        self.expirable -= expired
        return expired

    def _answer(self) -> None:
        if self.away:
            raise StoreUnavailable("the metrics store is away")


Recount = dict[tuple[Series, int], dict[str, object]]


def recount(rows, losses=()) -> Recount:
    """What the sums of `rows` must be, counted one by one, both levels."""
    found: Recount = {}

    def entry(series: Series, at_us: int) -> dict:
        empty = {
            "exchanges": 0, "good": 0, "bad": 0, "excluded": 0, "shed": 0, "total_us": 0,
            "request_bytes": 0, "response_bytes": 0, "tally": Counter(), "latency": Counter(),
        }  # fmt: skip
        return found.setdefault((series, at_us - at_us % MINUTE_US), empty)

    for row in rows:
        whole = Series(row.integration, row.direction, row.kind)
        for series in (whole, whole._replace(operation=row.operation)):
            counts = entry(series, row.started_us)
            counts["exchanges"] += 1
            counts[("good", "bad", "excluded")[row.verdict]] += 1
            counts["request_bytes"] += max(row.request_bytes, 0)
            counts["response_bytes"] += max(row.response_bytes, 0)
            counts["tally"][cell(row.outcome, row.fault, row.verdict)] += 1
            if row.outcome in TIMED_OUTCOMES:
                duration_us = max(row.total_us, 0)
                counts["total_us"] += duration_us
                counts["latency"][int(histogram.position(np.array([duration_us]))[0])] += 1
    for loss in losses:
        series = Series(loss.integration, loss.direction, loss.kind)
        entry(series, loss.minute_us)["shed"] += loss.count
    return found


def summed(sums) -> Recount:
    """Sums in the form of `recount`."""
    found: Recount = {}
    for each in sums:
        counts = each._asdict()
        key = (counts.pop("series"), counts.pop("minute_us"))
        counts["tally"] = _sparse(each.tally, CELLS)
        counts["latency"] = _sparse(each.latency, histogram.BUCKETS)
        assert key not in found, "a series has one sum per minute"
        found[key] = counts
    return found


def _sparse(blob: bytes, width: int) -> Counter:
    [dense] = histogram.decode_into([blob], np.zeros(1, np.int64), (1, width))
    return Counter({int(at): int(dense[at]) for at in np.flatnonzero(dense)})

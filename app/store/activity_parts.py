"""Activity in the database: parts that are written once, read whole, and merged now and then.

A row per installation and day would be updated all over a large table with every batch, and read
one by one at 1.4 µs each. So each batch appends a part for every integration in it: columns packed
one after the other, with the names beside them. Parts of one integration and one period of 28 days
are merged once there are eight of a level, which makes one of the next; when the period is over,
all of it becomes one part in the end. Every row is so rewritten a few times, and a question reads
a few dozen parts. A part is never changed, only replaced, in one transaction.

Every function works inside a transaction that its caller holds.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any, NamedTuple

import msgspec
import numpy as np
from sqlalchemy import Connection, bindparam, delete, func, select

from app.domain.window import DAY_US, Window
from app.store.activity import COUNTS, TIMES, Activity, beside, joined
from app.store.backend import Backend
from app.store.names import Names, Settled
from app.store.tables import activity_parts

#: Days whose rows may be merged into one part.
PERIOD_DAYS = 28
#: As many parts of one level are merged into one of the next.
FAN_IN = 8
#: A period that is over becomes one part when the rest of it is this much of its largest part.
_WORTH = 4
#: How long after its end a period counts as over.
_GRACE_DAYS = 2
_c = activity_parts.c
_HEAD = (_c.part, _c.integration_id, _c.period, _c.level, _c.rows)
_Texts = tuple[list[str], list[str]]
_texts = msgspec.msgpack.Decoder(_Texts)
#: A packed time that there was not; a day has fewer milliseconds.
_NO_TIME = 2**32 - 1
#: Number of rows, first and last day, body and names: a row's columns from `rows` on.
_Packed = tuple[int, int, int, bytes, bytes]


class Part(NamedTuple):
    """What is known of a part without reading it."""

    part: int
    integration_id: int
    period: int
    level: int
    rows: int


def add(connection: Connection, backend: Backend, settled: Settled, activity: Activity) -> None:
    """Append what a batch brings."""
    rows = [
        (number, settled.integrations[slug], period, 0, *part)
        for number, (slug, period, part) in enumerate(_packed(activity), _last(connection) + 1)
    ]
    backend.insert(connection, activity_parts, rows)


def find(
    connection: Connection,
    names: Names,
    window: Window,
    *,
    integrations: Sequence[str] | None,
    installations: Sequence[str] | None,
) -> Activity:
    """See `MetricsStore.activity`."""
    first, last = window.start_us // DAY_US, -(-window.end_us // DAY_US)
    chosen = names.integrations.keys() if integrations is None else set(integrations)
    owners = [names.integrations[slug] for slug in chosen if slug in names.integrations]
    statement = select(*_HEAD, _c.body, _c.names).where(
        _c.last_day >= first, _c.first_day < last, _c.period >= first // PERIOD_DAYS
    )
    if integrations is not None:
        statement = statement.where(_c.integration_id.in_(owners))
    wanted = None if installations is None else frozenset(installations)
    found: dict[int, dict[int, list[Activity]]] = {}
    # Not ordered by the database: sorting would copy the blobs.
    for row in connection.execute(statement):
        part = _unpacked(row.rows, row.body, row.names, row.period)
        part = _cut(part, first, last, wanted)
        if len(part):
            found.setdefault(row.integration_id, {}).setdefault(row.period, []).append(part)
    return beside(
        [
            replace(_of_one(found[owner]), integrations=(names.slug_of[owner],)).narrowed()
            for owner in sorted(found)
        ]
    )


def due(parts: Sequence[Part], *, over: bool) -> list[int]:
    """Which of the parts of one integration and period are to be merged next; []: none. Pure."""
    levels: dict[int, list[int]] = {}
    for each in parts:
        levels.setdefault(each.level, []).append(each.part)
    for _, found in sorted(levels.items()):
        if len(found) >= FAN_IN:
            return found
    rows = sorted(each.rows for each in parts)
    if over and len(parts) > 1 and sum(rows[:-1]) * _WORTH >= rows[-1]:
        return [each.part for each in parts]
    return []


def candidates(connection: Connection, now_us: int) -> list[tuple[int, int]]:
    """Integration and period of all that may have parts to merge."""
    over = now_us // DAY_US - _GRACE_DAYS
    statement = select(_c.integration_id, _c.period).group_by(_c.integration_id, _c.period)
    crowded = statement.having(func.count() >= FAN_IN)
    ended = statement.where(_c.period < over // PERIOD_DAYS).having(func.count() > 1)
    return sorted({(owner, period) for owner, period in connection.execute(crowded.union(ended))})


def merge(connection: Connection, backend: Backend, owner: int, period: int, now_us: int) -> bool:
    """Merge what is due of one integration and period; whether anything was."""
    over = period < (now_us // DAY_US - _GRACE_DAYS) // PERIOD_DAYS
    here = select(*_HEAD).where(_c.integration_id == owner, _c.period == period)
    parts = [Part(*row) for row in connection.execute(here)]
    chosen = due(parts, over=over)
    if not chosen:
        return False
    read = select(_c.rows, _c.body, _c.names).where(_c.part.in_(chosen))
    found = [_unpacked(*row, period) for row in connection.execute(read)]
    whole = joined(found).merged()
    level = 1 + max(each.level for each in parts if each.part in set(chosen))
    number = _last(connection) + 1
    connection.execute(
        delete(activity_parts).where(_c.part == bindparam("old")),
        [{"old": part} for part in chosen],
    )
    [(_, _, packed)] = _packed(whole)
    backend.insert(connection, activity_parts, [(number, owner, period, level, *packed)])
    return True


def _packed(activity: Activity) -> Iterator[tuple[str, int, _Packed]]:
    """The rows by integration and period, each with the names of its own integration only."""
    period = activity.day // PERIOD_DAYS
    key = activity.owner[activity.who].astype(np.int64) << 32 | period
    if (key[1:] < key[:-1]).any():
        order = np.argsort(key, kind="stable")
        activity, key, period = activity.at(order), key[order], period[order]
    columns = _Columns(activity)
    bounds = np.flatnonzero(np.r_[True, key[1:] != key[:-1], True]).tolist()
    for start, end in pairwise(bounds):
        owner = activity.integrations[int(key[start]) >> 32]
        yield owner, int(period[start]), columns.part(start, end)


class _Columns:
    """Rows as their columns are packed: each as narrow as its greatest value."""

    def __init__(self, activity: Activity) -> None:
        ms = (activity.times - activity.day * np.int64(DAY_US)) // 1000
        ms = np.clip(ms, 0, DAY_US // 1000 - 1)
        self._times = np.where(activity.times == 0, _NO_TIME, ms).astype("<u4")
        widths = [np.min_scalar_type(most) for most in activity.counts.max(axis=1).tolist()]
        self._counts = [
            column.astype(width.newbyteorder("<"))
            for column, width in zip(activity.counts, widths, strict=True)
        ]
        self._keys = (activity.direction, activity.kind, (activity.day % PERIOD_DAYS).astype("u1"))
        self._activity = activity

    def part(self, start: int, end: int) -> _Packed:
        """The rows from `start` to before `end`."""
        all_ = self._activity
        day, who = all_.day[start:end], all_.who[start:end]
        first, last = int(who.min()), int(who.max()) + 1
        body = [(who - first).astype("<u4").tobytes()]
        body += [column[start:end].tobytes() for column in self._keys]
        for column in self._counts:
            body += [bytes([column.itemsize]), column[start:end].tobytes()]
        body += [column[start:end].tobytes() for column in self._times]
        names = (all_.installations[first:last], all_.customers[first:last])
        days = int(day.min()), int(day.max())
        return end - start, *days, b"".join(body), msgspec.msgpack.encode(names)


def _of_one(periods: dict[int, list[Activity]]) -> Activity:
    """All of one integration. Parts of a period may hold the same rows; periods share none."""
    merged = [parts[0] if len(parts) == 1 else joined(parts).merged() for parts in periods.values()]
    return joined(merged)


def _cut(part: Activity, first: int, last: int, wanted: frozenset[str] | None) -> Activity:
    """What of a part is asked for."""
    mask = (part.day >= first) & (part.day < last)
    if wanted is not None:
        known = np.fromiter(map(wanted.__contains__, part.installations), np.bool_)
        mask &= known[part.who]
    return part if mask.all() else part.where(mask)


def _unpacked(rows: int, body: bytes, names: bytes, period: int) -> Activity:
    offset = 0

    def column(kind: str) -> Any:
        nonlocal offset
        found = np.frombuffer(body, kind, rows, offset)
        offset += found.nbytes
        return found

    who, direction, kind, days = column("<u4"), column("i1"), column("i1"), column("u1")
    counts = np.empty((len(COUNTS), rows), np.int32)
    for count in counts:
        width, offset = body[offset], offset + 1
        count[:] = column(f"<u{width}")
    day = days + np.int32(period * PERIOD_DAYS)
    start_us = day * np.int64(DAY_US)
    times = np.empty((len(TIMES), rows), np.int64)
    for place in range(len(TIMES)):
        ms = column("<u4").astype(np.int64)
        times[place] = np.where(ms == _NO_TIME, 0, start_us + ms * 1000)
    installations, customers = _texts.decode(names)
    owner = np.zeros(len(installations), np.int32)
    return Activity(
        ("",), owner, tuple(installations), tuple(customers),
        who.astype(np.int32), direction, kind, day, counts, times,
    )  # fmt: skip


def _last(connection: Connection) -> int:
    """The newest part's number; writers take turns, so the next ones are free."""
    return connection.execute(select(func.max(_c.part))).scalar() or 0

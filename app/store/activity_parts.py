"""Activity in the database: parts that are written once, read whole, and merged now and then.

A row per installation and day would be updated all over a large table with every batch, and read
one by one at 1.4 µs each. So each batch appends a part for every integration in it, packed as
`app.store.activity_pack` has it. Parts of one integration and one period of 28 days are merged
once there are eight of a level, which makes one of the next; when the period is over, all of it
becomes one part in the end. Every row is so rewritten a few times, and a question reads a few dozen
parts. A part is never changed, only replaced, in one transaction.

Every function works inside a transaction that its caller holds.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate, chain, groupby
from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np
from sqlalchemy import Connection, bindparam, delete, func, select

from app.domain.window import DAY_US, Window
from app.store.activity import Activity, Smalls, beside, joined
from app.store.activity_pack import (
    PERIOD_DAYS,
    Counting,
    Texts,
    installations_of,
    names_of,
    packed,
    unpacked,
)
from app.store.backend import Backend
from app.store.day_counts import DayCounts, Roll
from app.store.names import Names, Settled
from app.store.tables import activity_parts

#: As many parts of one level are merged into one of the next.
FAN_IN = 8
#: A period that is over becomes one part when the rest of it is this much of its largest part.
_WORTH = 4
#: How long after its end a period counts as over.
_GRACE_DAYS = 2
_c = activity_parts.c
_HEAD = (_c.part, _c.integration_id, _c.period, _c.level, _c.rows)
_COUNTED = (_c.integration_id, _c.rows, _c.period, _c.first_day, _c.last_day, _c.body, _c.names)
_WHOLE = (*_COUNTED, _c.times)


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
        for number, (slug, period, part) in enumerate(packed(activity), _last(connection) + 1)
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
    first, last = _days(window)
    statement = _touching(_WHOLE, names, window, integrations)
    wanted = None if installations is None else frozenset(installations)
    found: dict[int, dict[int, list[Activity]]] = {}
    # Not ordered by the database: sorting would copy the blobs.
    for row in connection.execute(statement):
        part = unpacked(row.rows, row.period, row.body, row.names, row.times)
        part = _cut(part, first, last, wanted)
        if len(part):
            found.setdefault(row.integration_id, {}).setdefault(row.period, []).append(part)
    return beside(
        [
            replace(_of_one(found[owner]), integrations=(names.slug_of[owner],)).narrowed()
            for owner in sorted(found)
        ]
    )


def counted(
    connection: Connection,
    names: Names,
    window: Window,
    *,
    integrations: Sequence[str] | None,
    columns: Sequence[str],
    failing: bool,
) -> DayCounts:
    """See `MetricsStore.day_counts`."""
    first, last = _days(window)
    rows = connection.execute(_touching(_COUNTED, names, window, integrations)).all()
    rows = sorted(rows, key=attrgetter("integration_id"))
    wanted = {*columns, "bad"} if failing else columns
    found = Counting(sum(row.rows for row in rows), wanted)
    named: list[Texts] = [
        (installations_of(row.names), []) if failing else names_of(row.names) for row in rows
    ]
    *places, end = accumulate((len(its) for its, _ in named), initial=0)
    for row, place in zip(rows, places, strict=True):
        found.read(row.rows, row.period, row.body, place)
    roll, numbers = Roll(), np.full(end, -1, np.int32)
    failed = found.failing(range(first, last), end) if failing else None
    for owner, group in groupby(range(len(rows)), lambda part: rows[part].integration_id):
        its = list(group)
        here = slice(places[its[0]], places[its[-1]] + len(named[its[-1]][0]))
        parts = [named[part] for part in its]
        chosen = failed if failed is None else failed[here]
        numbers[here] = _numbers(roll, names.slug_of[owner], parts, chosen)
    who, day, counts = found.numbered(numbers)
    whole = DayCounts(
        tuple(roll.integrations),
        np.array(roll.owner, np.int32),
        tuple(roll.installations),
        tuple(roll.customers),
        who,
        day,
        {name: counts[name] for name in columns},
    )
    inside = all(first <= row.first_day and row.last_day < last for row in rows)
    return whole if inside else whole.within(first, last)


def _numbers(roll: Roll, slug: str, parts: Sequence[Texts], failed: Any) -> Smalls:
    """The numbers of all that the parts of one integration name, one part after the other; -1 for
    those that did not fail in any of them, where `failed` says who did in each."""
    if failed is None:
        return np.concatenate(list(roll.take(slug, parts)))
    every = list(chain.from_iterable(its for its, _ in parts))
    wanted = {every[place] for place in np.flatnonzero(failed).tolist()}
    places = [place for place, name in enumerate(every) if name in wanted]
    found = np.full(len(every), -1, np.int32)
    [found[places]] = roll.take(slug, [([every[place] for place in places], [])])
    return found


def _days(window: Window) -> tuple[int, int]:
    """The first day that a window touches, and the one after the last."""
    return window.start_us // DAY_US, -(-window.end_us // DAY_US)


def _touching(
    columns: Sequence[Any], names: Names, window: Window, integrations: Sequence[str] | None
) -> Any:
    """The parts that may hold days of a window."""
    first, last = _days(window)
    statement = select(*columns).where(
        _c.last_day >= first, _c.first_day < last, _c.period >= first // PERIOD_DAYS
    )
    if integrations is None:
        return statement
    chosen = set(integrations) & names.integrations.keys()
    return statement.where(_c.integration_id.in_([names.integrations[slug] for slug in chosen]))


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
    read = select(_c.rows, _c.period, _c.body, _c.names, _c.times).where(_c.part.in_(chosen))
    found = [unpacked(*row) for row in connection.execute(read)]
    whole = joined(found).merged()
    level = 1 + max(each.level for each in parts if each.part in set(chosen))
    number = _last(connection) + 1
    connection.execute(
        delete(activity_parts).where(_c.part == bindparam("old")),
        [{"old": part} for part in chosen],
    )
    [(_, _, part)] = packed(whole)
    backend.insert(connection, activity_parts, [(number, owner, period, level, *part)])
    return True


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


def _last(connection: Connection) -> int:
    """The newest part's number; writers take turns, so the next ones are free."""
    return connection.execute(select(func.max(_c.part))).scalar() or 0

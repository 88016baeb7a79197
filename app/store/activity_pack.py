"""Activity as bytes: columns one after the other, with the names beside them. Pure.

`body` holds who, direction, kind and day of every row and then its counts, each column as narrow
as its greatest value; `times` what hardly anybody asks for; `names` whom the rows are about. So a
question that only counts (`counted`) neither fetches the times nor looks at them.
"""

from collections.abc import Collection, Iterator
from itertools import pairwise
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from app.domain.window import DAY_US
from app.store.activity import COUNTS, TIMES, Activity, Smalls

#: Days whose rows may lie in one part.
PERIOD_DAYS = 28
#: Names of installations, and the customer of each.
Texts = tuple[list[str], list[str]]
_texts = msgspec.msgpack.Decoder(Texts)
_first_texts = msgspec.msgpack.Decoder(tuple[list[str], msgspec.Raw])
#: A packed time that there was not; a day has fewer milliseconds.
_NO_TIME = 2**32 - 1
#: Bytes of a row before its counts: who, direction, kind and day.
_KEY_BYTES, _DAY_AT = 7, 6


class Packed(NamedTuple):
    """Rows of one integration within one period; days are whole ones since 1970 UTC."""

    rows: int
    first_day: int
    last_day: int
    body: bytes
    names: bytes
    times: bytes


def packed(activity: Activity) -> Iterator[tuple[str, int, Packed]]:
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

    def part(self, start: int, end: int) -> Packed:
        """The rows from `start` to before `end`."""
        all_ = self._activity
        day, who = all_.day[start:end], all_.who[start:end]
        first, last = int(who.min()), int(who.max()) + 1
        body = [(who - first).astype("<u4").tobytes()]
        body += [column[start:end].tobytes() for column in self._keys]
        for column in self._counts:
            body += [bytes([column.itemsize]), column[start:end].tobytes()]
        names = msgspec.msgpack.encode((all_.installations[first:last], all_.customers[first:last]))
        times = b"".join(column[start:end].tobytes() for column in self._times)
        return Packed(end - start, int(day.min()), int(day.max()), b"".join(body), names, times)


def unpacked(rows: int, period: int, body: bytes, names: bytes, times: bytes) -> Activity:
    """What was packed, of one integration, which is not named."""
    counts = np.empty((len(COUNTS), rows), np.int32)
    for into, column in zip(counts, _counts(body, rows, COUNTS), strict=True):
        into[:] = column
    day = np.frombuffer(body, "u1", rows, _DAY_AT * rows) + np.int32(period * PERIOD_DAYS)
    ms = np.frombuffer(times, "<u4").astype(np.int64).reshape(len(TIMES), rows)
    at = np.where(ms == _NO_TIME, 0, day * np.int64(DAY_US) + ms * 1000)
    installations, customers = names_of(names)
    return Activity(
        ("",),
        np.zeros(len(installations), np.int32),
        tuple(installations),
        tuple(customers),
        np.frombuffer(body, "<u4", rows).astype(np.int32),
        np.frombuffer(body, "i1", rows, 4 * rows),
        np.frombuffer(body, "i1", rows, 5 * rows),
        day,
        counts,
        at,
    )


def installations_of(names: bytes) -> list[str]:
    """The installations alone."""
    found, _ = _first_texts.decode(names)
    return found


def names_of(names: bytes) -> Texts:
    """Installations, and the customer of each."""
    found: Texts = _texts.decode(names)
    return found


class Counting:
    """Room for the counts of many parts, `size` rows, into which one after the other is read; then
    all of them are looked at together. Whom a row is about is told as a place in the names of all
    parts, one after the other."""

    def __init__(self, size: int, columns: Collection[str]) -> None:
        self._who: Smalls = np.empty(size, np.int32)
        self._day: Smalls = np.empty(size, np.int32)
        self._counts = {name: np.empty(size, np.int32) for name in COUNTS if name in columns}
        self._at = 0

    def read(self, rows: int, period: int, body: bytes, place: int) -> None:
        """Take in a part whose names begin at `place`."""
        here = slice(self._at, self._at + rows)
        who, days = (
            np.frombuffer(body, "<i4", rows),
            np.frombuffer(body, "u1", rows, _DAY_AT * rows),
        )
        np.add(who, place, out=self._who[here])
        np.add(days, period * PERIOD_DAYS, out=self._day[here], dtype=np.int32)
        for into, column in zip(
            self._counts.values(), _counts(body, rows, self._counts), strict=True
        ):
            into[here] = column
        self._at += rows

    def failing(self, days: range, places: int) -> NDArray[np.bool_]:
        """Which of so many places failed anything on these days."""
        chosen = np.flatnonzero(self._counts["bad"])
        day = self._day[chosen]
        chosen = chosen[(day >= days.start) & (day < days.stop)]
        return np.bincount(self._who[chosen], minlength=places) > 0

    def numbered(self, numbers: Smalls) -> tuple[Smalls, Smalls, dict[str, Smalls]]:
        """Who, day and counts, whom they are about by the number at each place; rows of a place
        with a number below 0 are left out."""
        who = numbers[self._who]
        if numbers.min(initial=0) >= 0:
            return who, self._day, self._counts
        rows = np.flatnonzero(who >= 0)
        counts = {name: column[rows] for name, column in self._counts.items()}
        return who[rows], self._day[rows], counts


def _counts(body: bytes, rows: int, wanted: Collection[str]) -> Iterator[Any]:
    """The columns of counts that are `wanted`, in the order of `COUNTS`."""
    offset = _KEY_BYTES * rows
    for name in COUNTS:
        width = body[offset]
        if name in wanted:
            yield np.frombuffer(body, f"<u{width}", rows, offset + 1)
        offset += 1 + width * rows

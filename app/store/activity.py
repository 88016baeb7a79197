"""What each installation did on each day, as columns: what a batch adds, what is asked for. Pure.

One row counts the exchanges of one installation in one direction and of one kind on one day UTC.
Exchanges that name no installation are not counted here. Rows merge by addition, and by the
earliest and latest of their times, so whatever order they come in the answer is the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, compress, count
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.domain.window import DAY_US

Ints = NDArray[np.int64]
#: Arrays of a narrower type than they add up to: 4 bytes for each of many rows.
Smalls = NDArray[np.int32]

COUNTS = (
    "exchanges",
    "good",
    "bad",
    "partner_faults",
    "platform_faults",
    "network_faults",
    "customer_faults",
)
TIMES = ("first_us", "last_us", "first_good_us", "last_good_us")
_FIRSTS, _LASTS = [0, 2], [1, 3]
#: A time that there was not: in the columns and in the database it is 0.
_NEVER = np.iinfo(np.int64).max
_MOST = np.iinfo(np.int32).max


class ActivitySum(NamedTuple):
    """What one installation adds to one day (`day_us`: its start). `good` and `bad` as a verdict
    has them, faults of those that failed; times are starts of exchanges, kept in whole
    milliseconds; 0: there was none."""

    integration: str
    installation: str
    customer: str
    direction: int
    kind: int
    day_us: int
    exchanges: int
    good: int
    bad: int
    partner_faults: int
    platform_faults: int
    network_faults: int
    customer_faults: int
    first_us: int
    last_us: int
    first_good_us: int
    last_good_us: int


@dataclass(frozen=True, slots=True, eq=False)
class Activity:
    """Many rows as columns, shape (n,). Row i is about `installations[who[i]]`, whose customer is
    `customers[who[i]]` ("": never told) and whose integration `integrations[owner[who[i]]]`;
    installations of one integration stand together (`owner` rises).

    `counts` has shape (7, n) as `COUNTS`, `times` (4, n) as `TIMES`; every row of them is also a
    property of that name. Counts are 32 bits wide: sum them, or widen them before multiplying.
    """

    integrations: tuple[str, ...] = ()
    owner: Smalls = field(default_factory=lambda: np.zeros(0, np.int32))
    installations: tuple[str, ...] = ()
    customers: tuple[str, ...] = ()
    who: Smalls = field(default_factory=lambda: np.zeros(0, np.int32))
    direction: NDArray[np.int8] = field(default_factory=lambda: np.zeros(0, np.int8))
    kind: NDArray[np.int8] = field(default_factory=lambda: np.zeros(0, np.int8))
    #: Whole days since 1970 UTC.
    day: Smalls = field(default_factory=lambda: np.zeros(0, np.int32))
    counts: Smalls = field(default_factory=lambda: np.zeros((len(COUNTS), 0), np.int32))
    times: Ints = field(default_factory=lambda: np.zeros((len(TIMES), 0), np.int64))

    def __len__(self) -> int:
        return len(self.who)

    @property
    def day_us(self) -> Ints:
        """Start of each row's day."""
        return self.day.astype(np.int64) * DAY_US

    @property
    def exchanges(self) -> Smalls:
        """All that were recorded."""
        return self._count(0)

    @property
    def good(self) -> Smalls:
        """Those that count as good."""
        return self._count(1)

    @property
    def bad(self) -> Smalls:
        """Those that count as bad."""
        return self._count(2)

    @property
    def partner_faults(self) -> Smalls:
        """Those on which the partner has to act."""
        return self._count(3)

    @property
    def platform_faults(self) -> Smalls:
        """Those on which the platform has to act."""
        return self._count(4)

    @property
    def network_faults(self) -> Smalls:
        """Those that the network between them lost."""
        return self._count(5)

    @property
    def customer_faults(self) -> Smalls:
        """Those on which the customer has to act."""
        return self._count(6)

    @property
    def first_us(self) -> Ints:
        """Start of the first exchange."""
        return self._time(0)

    @property
    def last_us(self) -> Ints:
        """Start of the newest exchange."""
        return self._time(1)

    @property
    def first_good_us(self) -> Ints:
        """Start of the first good exchange; 0: none was."""
        return self._time(2)

    @property
    def last_good_us(self) -> Ints:
        """Start of the newest good exchange; 0: none was."""
        return self._time(3)

    def where(self, mask: NDArray[np.bool_]) -> "Activity":
        """The rows for which `mask` holds; the dictionaries stay as they are."""
        return self.at(np.flatnonzero(mask))

    def at(self, places: Ints) -> "Activity":
        """The rows at `places`, in that order; the dictionaries stay as they are."""
        return self._with(places, self.counts[:, places], self.times[:, places])

    def merged(self) -> "Activity":
        """One row per installation, direction, kind and day, in that order."""
        key = ((self.who.astype(np.int64) * 2 + self.direction) * 2 + self.kind) << 32 | self.day
        order = np.argsort(key, kind="stable")
        ordered = key[order]
        starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]]) if len(key) else order
        if len(starts) == len(key):
            return self.at(order)
        counts = np.add.reduceat(self.counts[:, order], starts, axis=1, dtype=np.int64)
        times = self.times[:, order]
        merged = np.empty((len(TIMES), len(starts)), np.int64)
        firsts = np.where(times[_FIRSTS] == 0, _NEVER, times[_FIRSTS])
        earliest = np.minimum.reduceat(firsts, starts, axis=1)
        merged[_FIRSTS] = np.where(earliest == _NEVER, 0, earliest)
        merged[_LASTS] = np.maximum.reduceat(times[_LASTS], starts, axis=1)
        return self._with(order[starts], np.minimum(counts, _MOST).astype(np.int32), merged)

    def narrowed(self) -> "Activity":
        """The same without the names of integrations and installations that have no row."""
        names = np.flatnonzero(np.bincount(self.who, minlength=len(self.installations)))
        if len(names) == len(self.installations):
            return self
        slugs, owner = np.unique(self.owner[names], return_inverse=True)
        new = np.zeros(len(self.installations), np.int32)
        new[names] = np.arange(len(names))
        chosen = names.tolist()
        return replace(
            self,
            integrations=tuple(self.integrations[slug] for slug in slugs.tolist()),
            owner=owner.astype(np.int32),
            installations=tuple(map(self.installations.__getitem__, chosen)),
            customers=tuple(map(self.customers.__getitem__, chosen)),
            who=new[self.who],
        )

    def scaled(self, factor: int) -> "Activity":
        """Every exchange counted `factor` times."""
        counts = np.minimum(self.counts.astype(np.int64) * factor, _MOST).astype(np.int32)
        return self._with(np.arange(len(self)), counts, self.times)

    def rows(self) -> list[ActivitySum]:
        """One tuple per row."""
        numbers = zip(self.counts.T.tolist(), self.times.T.tolist(), strict=True)
        keys = (self.who, self.direction, self.kind, self.day_us)
        return [
            ActivitySum(
                self.integrations[self.owner[who]], self.installations[who], self.customers[who],
                direction, kind, day_us, *counts, *times,
            )
            for (who, direction, kind, day_us), (counts, times) in zip(
                zip(*(key.tolist() for key in keys), strict=True), numbers, strict=True
            )
        ]  # fmt: skip

    def _count(self, at: int) -> Smalls:
        column: Smalls = self.counts[at]
        return column

    def _time(self, at: int) -> Ints:
        column: Ints = self.times[at]
        return column

    def _with(self, places: Ints, counts: Smalls, times: Ints) -> "Activity":
        return Activity(
            self.integrations,
            self.owner,
            self.installations,
            self.customers,
            self.who[places],
            self.direction[places],
            self.kind[places],
            self.day[places],
            counts,
            times,
        )


def of_sums(sums: Sequence[ActivitySum]) -> Activity:
    """Rows as columns, merged."""
    sums = sorted(sums)
    slugs = {slug: place for place, slug in enumerate(dict.fromkeys(each[0] for each in sums))}
    customers: dict[tuple[str, str], str] = {}
    for each in sums:
        customers[each[:2]] = max(each.customer, customers.get(each[:2], ""))
    number = {key: place for place, key in enumerate(customers)}
    columns = np.array([(number[each[:2]], *each[3:]) for each in sums], dtype=np.int64)
    who, direction, kind, day_us, *rest = columns.reshape(-1, 15).T
    return Activity(
        tuple(slugs),
        np.array([slugs[slug] for slug, _ in customers], dtype=np.int32),
        tuple(installation for _, installation in customers),
        tuple(customers.values()),
        who.astype(np.int32),
        direction.astype(np.int8),
        kind.astype(np.int8),
        (day_us // DAY_US).astype(np.int32),
        np.minimum(rest[: len(COUNTS)], _MOST).astype(np.int32).reshape(len(COUNTS), -1),
        np.array(rest[len(COUNTS) :]).reshape(len(TIMES), -1),
    ).merged()


def joined(parts: Sequence[Activity]) -> Activity:
    """All rows of `parts`, which are of one and the same integration, not merged; each installation
    is named once. Where several customers were told of one, one of them stands."""
    if len(parts) == 1:
        return parts[0]
    named = dict.fromkeys(chain.from_iterable(part.installations for part in parts))
    numbers = dict(zip(named, count(), strict=False))
    customers = dict.fromkeys(named, "")
    for part in parts:
        told = compress(part.installations, part.customers)
        customers.update(zip(told, filter(None, part.customers), strict=True))
    whos = [
        np.fromiter(map(numbers.__getitem__, part.installations), np.int32)[part.who]
        for part in parts
    ]
    owner = np.zeros(len(numbers), np.int32)
    names = (parts[0].integrations, owner, tuple(numbers), tuple(customers.values()))
    return Activity(*names, np.concatenate(whos), *_stacked(parts))


def beside(parts: Sequence[Activity]) -> Activity:
    """The rows of `parts`, no two of which are of the same integration."""
    if len(parts) <= 1:
        return parts[0] if parts else Activity()
    slugs = np.cumsum([0, *(len(part.integrations) for part in parts)]).tolist()
    names = np.cumsum([0, *(len(part.installations) for part in parts)]).tolist()
    return Activity(
        tuple(slug for part in parts for slug in part.integrations),
        np.concatenate([part.owner + np.int32(at) for part, at in zip(parts, slugs, strict=False)]),
        tuple(name for part in parts for name in part.installations),
        tuple(customer for part in parts for customer in part.customers),
        np.concatenate([part.who + np.int32(at) for part, at in zip(parts, names, strict=False)]),
        *_stacked(parts),
    )


def _stacked(parts: Sequence[Activity]) -> tuple[Any, Any, Any, Any, Any]:
    return (
        np.concatenate([part.direction for part in parts]),
        np.concatenate([part.kind for part in parts]),
        np.concatenate([part.day for part in parts]),
        np.concatenate([part.counts for part in parts], axis=1),
        np.concatenate([part.times for part in parts], axis=1),
    )

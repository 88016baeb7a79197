"""What each installation did on each day, as counts that only wait to be added up. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, compress, count

import numpy as np

from app.store.activity import Smalls


@dataclass(frozen=True, slots=True, eq=False)
class DayCounts:
    """Columns of n rows. Row i is about `installations[who[i]]` on `day[i]`, whole days since 1970
    UTC; the customer is `customers[who[i]]` ("": never told) and the integration
    `integrations[owner[who[i]]]`; installations of one integration stand together.

    Unlike `Activity` it tells no direction, kind or time, and any number of rows may be of one
    installation and day: sums are what they would be of one. `counts` has the columns that were
    asked for, by their names in `COUNTS`; they are 32 bits wide: sum them wider.
    """

    integrations: tuple[str, ...] = ()
    owner: Smalls = field(default_factory=lambda: np.zeros(0, np.int32))
    installations: tuple[str, ...] = ()
    customers: tuple[str, ...] = ()
    who: Smalls = field(default_factory=lambda: np.zeros(0, np.int32))
    day: Smalls = field(default_factory=lambda: np.zeros(0, np.int32))
    counts: Mapping[str, Smalls] = field(default_factory=dict)

    def within(self, first: int, last: int) -> "DayCounts":
        """The rows of the days from `first` to before `last`; the names stay as they are."""
        places = np.flatnonzero((self.day >= first) & (self.day < last))
        counts = {name: column[places] for name, column in self.counts.items()}
        return replace(self, who=self.who[places], day=self.day[places], counts=counts)


class Roll:
    """The installations of several integrations, each numbered once, in the order of calls."""

    def __init__(self) -> None:
        self.integrations: list[str] = []
        self.owner: list[int] = []
        self.installations: list[str] = []
        self.customers: list[str] = []

    def take(self, slug: str, parts: Sequence[tuple[list[str], list[str]]]) -> Iterable[Smalls]:
        """Number all that the parts of one more integration name, each with its customer, and give
        the numbers of each part. Where several customers were told of one, one of them stands."""
        named = dict.fromkeys(chain.from_iterable(names for names, _ in parts))
        numbers = dict(zip(named, count(len(self.installations)), strict=False))
        customers = dict.fromkeys(named, "")
        for names, told in parts:
            customers.update(zip(compress(names, told), filter(None, told), strict=True))
        self.owner += [len(self.integrations)] * len(named)
        self.integrations.append(slug)
        self.installations += named
        self.customers += customers.values()
        return (
            np.fromiter(map(numbers.__getitem__, names), np.int32, len(names)) for names, _ in parts
        )

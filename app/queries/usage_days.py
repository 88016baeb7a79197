"""What each installation did on each day, as numbers of a window. Pure: arrays in, values out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.domain.usage import COHORTS, DAY, LOOKBACK_DAYS, MONTH, WEEK
from app.domain.window import DAY_US, Window
from app.store.day_counts import DayCounts

Ints = NDArray[np.int64]
_EPOCH_WEEKDAY = 3  # the first of January 1970 was a Thursday; weeks begin on Mondays
_WEEK_DAYS = 7


class Days(NamedTuple):
    """Days from `first` to before `end`, whole days since 1970 UTC."""

    first: int
    end: int

    @property
    def length(self) -> int:
        """How many."""
        return self.end - self.first

    @property
    def window(self) -> Window:
        """The same in microseconds."""
        return Window(self.first * DAY_US, self.end * DAY_US)

    @property
    def before(self) -> "Days":
        """As many, just before."""
        return Days(max(self.first - self.length, 0), self.first)

    @property
    def known(self) -> "Days":
        """From where on one looks to tell who is new."""
        return Days(max(self.first - max(self.length, LOOKBACK_DAYS), 0), self.end)


@dataclass(frozen=True, slots=True)
class Growth:
    """Installations active in a window: `kept` were active in the equal time before, `returning`
    earlier, `new` never since one looks; `lapsed` were active before and are not now."""

    active: int
    before: int
    new: int
    kept: int
    returning: int
    lapsed: int


@dataclass(frozen=True, slots=True)
class Cohort:
    """Installations first active in the week from `day` on, and how many of them were active in
    that week and each one after it, up to the newest."""

    day: int
    size: int
    active: tuple[int, ...]


class Presence:
    """On which days each installation was active. `seen` has shape (days, installations)."""

    def __init__(self, counts: DayCounts, known: Days) -> None:
        self.known = known
        self.seen = np.zeros((known.length, len(counts.installations)), np.bool_)
        self.seen[counts.day - known.first, counts.who] = True
        #: The active days up to the end of each day.
        self._until = np.cumsum(self.seen, axis=0, dtype=np.int16)

    def part(self, days: Days) -> NDArray[np.bool_]:
        """The rows of some days."""
        first = max(days.first - self.known.first, 0)
        part: NDArray[np.bool_] = self.seen[first : max(days.end - self.known.first, 0)]
        return part

    def rolling(self, span: int) -> list[int]:
        """For every known day, the installations active within the `span` days up to its end:
        those with more active days until then than until before."""
        active = self._until > 0
        active[span:] = self._until[span:] > self._until[:-span]
        found: list[int] = active.sum(axis=1).tolist()
        return found

    def firsts(self) -> Ints:
        """For each installation the row of its first active day; the number of rows for one that
        never was active."""
        firsts: Ints = (self._until == 0).sum(axis=0)
        return firsts


def growth(presence: Presence, days: Days) -> Growth:
    """How the active installations of a window compare with those before."""
    now = presence.part(days).any(axis=0)
    before = presence.part(days.before).any(axis=0)
    earlier = presence.part(Days(presence.known.first, days.first)).any(axis=0)
    return Growth(
        active=int(now.sum()),
        before=int(before.sum()),
        new=int((now & ~earlier).sum()),
        kept=int((now & before).sum()),
        returning=int((now & earlier & ~before).sum()),
        lapsed=int((before & ~now).sum()),
    )


def new_by_day(presence: Presence, days: Days) -> list[int]:
    """How many installations each day of the window saw for the first time."""
    found = np.bincount(presence.firsts(), minlength=presence.known.length + 1)
    first = days.first - presence.known.first
    numbers: list[int] = found[first : first + days.length].tolist()
    return numbers


def spans(presence: Presence) -> dict[int, list[int]]:
    """The rolling numbers of a day, a week and a month for every known day."""
    return {span: presence.rolling(span) for span in (DAY, WEEK, MONTH)}


def cohorts(presence: Presence) -> list[Cohort]:
    """The newest weeks of first activity, oldest first; the week that runs is the last one."""
    end = presence.known.end
    newest = _monday(end - 1)
    weeks = [newest - _WEEK_DAYS * back for back in range(COHORTS - 1, -1, -1)]
    weeks = [day for day in weeks if day >= presence.known.first]
    if not weeks:
        return []
    firsts = presence.firsts() + presence.known.first
    active = np.stack(
        [presence.part(Days(day, min(day + _WEEK_DAYS, end))).any(axis=0) for day in weeks]
    )
    found = []
    for place, day in enumerate(weeks):
        members = (firsts >= day) & (firsts < min(day + _WEEK_DAYS, end))
        numbers = active[place:, members].sum(axis=1)
        found.append(Cohort(day, int(members.sum()), tuple(numbers.tolist())))
    return found


def by_day(inside: DayCounts, days: Days, name: str) -> list[int]:
    """A count of the rows `inside` some days, added up for each of them."""
    found: list[int] = np.bincount(
        inside.day - days.first, weights=inside.counts[name], minlength=days.length
    ).astype(np.int64).tolist()  # fmt: skip
    return found


def by_installation(inside: DayCounts, name: str) -> Ints:
    """A count of the rows, added up for each installation, shape (installations,)."""
    found: Ints = np.bincount(
        inside.who, weights=inside.counts[name], minlength=len(inside.installations)
    ).astype(np.int64)
    return found


def customers_of(counts: DayCounts, chosen: Sequence[int]) -> tuple[list[tuple[str, bool]], Ints]:
    """Whose the installations at `chosen` are, each once and whether it was named, and for each
    installation where its customer stands there; one without a customer stands for itself."""
    numbers: dict[tuple[str, bool], int] = {}
    told, names = counts.customers, counts.installations
    places = np.fromiter(
        (
            numbers.setdefault((told[it] or names[it], bool(told[it])), len(numbers))
            for it in chosen
        ),
        np.int64,
        len(chosen),
    )
    return list(numbers), places


def _monday(day: int) -> int:
    return day - (day + _EPOCH_WEEKDAY) % _WEEK_DAYS

"""Who uses an integration, how much, and by which operations.

Windows are whole UTC days (`days_of`). All of it comes from rollups
and daily activity marks; no exchange is looked at. Only exchanges that name an installation say
who uses it; the others are counted beside.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from app.domain.scope import Scope
from app.domain.usage import DAY, MONTH, WEEK, Facts, concentration, sentence
from app.domain.window import DAY_US, Window, ceil
from app.errors import BadQuery
from app.queries import usage_days
from app.queries.quota import QuotaView, quota
from app.queries.reading import Reading
from app.queries.registry import integration_within
from app.queries.usage_days import Cohort, Days, Growth, Presence
from app.queries.usage_operations import (
    CallersView,
    OperationUse,
    VersionUse,
    callers,
    operations_of,
    versions_of,
)
from app.store.day_counts import DayCounts
from app.telemetry import timed_query

LONGEST_DAYS = 366
#: Customers that are named, most exchanges first.
MOST_CUSTOMERS = 50
_COUNTED = ("exchanges", "good", "bad")


class Terms(NamedTuple):
    """Both terms of a ratio; its value is None without a denominator."""

    numerator: int
    denominator: int

    @property
    def value(self) -> float | None:
        """Their quotient."""
        return self.numerator / self.denominator if self.denominator else None


@dataclass(frozen=True, slots=True)
class DayUse:
    """One day. `active_week` and `active_month`: within the 7 and 28 days up to its end."""

    start_us: int
    active: int
    active_week: int
    active_month: int
    new: int
    exchanges: int
    good: int
    bad: int


@dataclass(frozen=True, slots=True)
class CustomerUse:
    """One customer, or one installation whose customer nobody told."""

    customer: str
    named: bool
    installations: int
    exchanges: int
    before: int
    good: int
    bad: int


@dataclass(frozen=True, slots=True)
class UsageView:
    """One integration over one window of whole days; docs/numbers.md defines each number."""

    integration: str
    window: Window
    known_from_us: int
    sentence: str
    active: dict[int, int]
    stickiness: Terms
    growth: Growth
    customers_active: int
    exchanges: int
    exchanges_before: int
    unnamed: int
    waited_us: int
    waited_before_us: int
    concentration: dict[int, Terms]
    days: tuple[DayUse, ...]
    customers: tuple[CustomerUse, ...]
    operations: tuple[OperationUse, ...]
    versions: tuple[VersionUse, ...]
    cohorts: tuple[Cohort, ...]
    deprecated: tuple[CallersView, ...]
    quota: QuotaView


@timed_query("usage")
def usage(reading: Reading, scope: Scope, slug: str, window: Window) -> UsageView:
    """`NotFound` outside the scope; `BadQuery` for a window that is empty or over a year long."""
    integration_within(reading, scope, slug)
    days = days_of(window)
    whole = days.known.window
    counts = reading.store.day_counts(whole, integrations=[slug], columns=_COUNTED)
    presence = Presence(counts, days.known)
    growth, rolling = usage_days.growth(presence, days), usage_days.spans(presence)
    found = operations_of(reading, slug, days)
    operations = found.used
    deprecated = [each for each in operations if each.deprecated and each.exchanges]
    inside = counts.within(*days)
    customers, by_customer = _customers(inside, counts.within(*days.before))
    shares = {top: Terms(*terms) for top, terms in concentration(by_customer).items()}
    exchanges = sum(each.exchanges for each in operations)
    named = sum(by_customer)
    active = {span: numbers[-1] for span, numbers in rolling.items()}
    return UsageView(
        integration=slug,
        window=days.window,
        known_from_us=whole.start_us,
        sentence=sentence(
            Facts(
                days=days.length,
                active=growth.active,
                before=growth.before,
                new=growth.new,
                lapsed=growth.lapsed,
                exchanges=exchanges,
                greatest_ratio=shares[1].value,
                customers=len(by_customer),
                deprecated=len(deprecated),
            )
        ),
        active=active,
        stickiness=Terms(sum(rolling[DAY][-MONTH:]), MONTH * active[MONTH]),
        growth=growth,
        customers_active=len(by_customer),
        exchanges=exchanges,
        exchanges_before=sum(each.before for each in operations),
        unnamed=max(exchanges - named, 0),
        waited_us=found.waited_us,
        waited_before_us=found.waited_before_us,
        concentration=shares,
        days=_days(inside, presence, days, rolling),
        customers=tuple(customers),
        operations=operations,
        versions=versions_of(operations),
        cohorts=tuple(usage_days.cohorts(presence)),
        deprecated=callers(reading, scope, slug, days.window, deprecated),
        quota=quota(reading, slug, days.window),
    )


def days_of(window: Window) -> Days:
    """As many whole UTC days as the window is long, the last one being that of its end; `BadQuery`
    for a window that is none or too long."""
    end, length = ceil(window.end_us, DAY_US) // DAY_US, ceil(window.length_us, DAY_US) // DAY_US
    if not 0 < length <= LONGEST_DAYS:
        raise BadQuery("from", "a window ends after it starts, and is at most 366 days long")
    return Days(max(end - length, 0), end)


def _days(
    inside: DayCounts, presence: Presence, days: Days, rolling: dict[int, list[int]]
) -> tuple[DayUse, ...]:
    columns = zip(
        *(rolling[span][-days.length :] for span in (DAY, WEEK, MONTH)),
        usage_days.new_by_day(presence, days),
        *(usage_days.by_day(inside, days, name) for name in _COUNTED),
        strict=True,
    )
    return tuple(DayUse((days.first + place) * DAY_US, *row) for place, row in enumerate(columns))


def _customers(inside: DayCounts, before: DayCounts) -> tuple[list[CustomerUse], list[int]]:
    """The `MOST_CUSTOMERS` of those active in the window, most exchanges first, and how many
    exchanges each of all has."""
    now = usage_days.by_installation(inside, "exchanges")
    chosen = np.flatnonzero(now)
    names, places = usage_days.customers_of(inside, chosen.tolist())
    columns = (
        np.ones_like(now),
        now,
        usage_days.by_installation(before, "exchanges"),
        usage_days.by_installation(inside, "good"),
        usage_days.by_installation(inside, "bad"),
    )
    sums = np.zeros((len(columns), len(names)), np.int64)
    for into, column in zip(sums, columns, strict=True):
        np.add.at(into, places, column[chosen])
    exchanges = sums[1]
    # Equal ones by name: all that could be among the first are put in order.
    least = np.sort(exchanges)[-MOST_CUSTOMERS:].min(initial=exchanges.max(initial=0))
    first = np.flatnonzero(exchanges >= least).tolist()
    found = [CustomerUse(*names[it], *sums[:, it].tolist()) for it in first]
    found.sort(key=lambda each: (-each.exchanges, each.customer))
    return found[:MOST_CUSTOMERS], exchanges.tolist()

"""How many customers and how much MRR stay: ratios with their numerator and denominator.

All of them look at the same accounts at two moments, the opening and the closing of a period, so
that whoever is in a numerator is in its denominator. New and returning customers are in neither.

- **GRR**: of what the paying accounts of the opening paid, what they still pay, at most what they
  did: losses by churn and contraction count, gains do not.
- **NRR**: what the same accounts pay at the closing, contraction and expansion included.
- **Logo churn**: paying accounts of the opening that are not active at the closing, of those that
  could leave: an account billed for longer than a month is due only in the period of its renewal.
  One that left or shrank without being due counts on both sides.
- **Revenue churn**: what accounts that could leave pay less at the closing, of what they paid.
- **LTV**: ARPA by logo churn a month; unknown while nobody leaves, and of less than a month.
"""

from calendar import monthrange
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import NamedTuple

from app.domain.money import Conversion, divided
from app.domain.revenue import Movements

_EPOCH = date(1970, 1, 1).toordinal()
#: The shortest period of which a month's churn can be said, days.
MONTH_DAYS = 28
#: Days of an average month, times 16.
_MONTH_16 = 487


@dataclass(frozen=True, slots=True)
class Ratio:
    """Both terms of a ratio. `denominator` is not 0: a ratio without one is None."""

    numerator: int
    denominator: int

    @property
    def value(self) -> float:
        """numerator / denominator."""
        return self.numerator / self.denominator


class Holding(NamedTuple):
    """One account at the opening and at the closing of a period, or a `number` of equal ones: what
    each pays by currency, whether it is active at the closing, and when it was due again, as of the
    opening."""

    opening: Mapping[str, int]
    closing: Mapping[str, int]
    stays: bool
    cycle: int = 0
    anchor_day: int = 0
    number: int = 1


@dataclass(frozen=True, slots=True)
class Retention:
    """Accounts that pay at both ends, and what became of those of the opening."""

    customers_opening: int
    customers: int
    grr: Ratio | None
    nrr: Ratio | None
    logo_churn: Ratio | None
    revenue_churn: Ratio | None


class Days(NamedTuple):
    """A period of whole UTC days, [first, end), counted from 1970."""

    first: int
    end: int


def ratio(numerator: int, denominator: int) -> Ratio | None:
    """A ratio; None without a denominator."""
    return Ratio(numerator, denominator) if denominator else None


def retention(holdings: Iterable[Holding], conversion: Conversion, days: Days) -> Retention:
    """What became of the accounts within a period. Amounts without a rate do not count."""
    payers = customers = lost = leavers = 0
    opened = kept = held = could = shrunk = 0
    for account in holdings:
        many = account.number
        before, after = _worth(account.opening, conversion), _worth(account.closing, conversion)
        customers += many * any(account.closing.values())
        if not any(account.opening.values()):
            continue
        payers += many
        opened, held = opened + many * before, held + many * after
        kept += many * min(before, after)
        gone = not account.stays and not any(account.closing.values())
        due = is_due(account.cycle, account.anchor_day, days)
        if due or gone:
            leavers, lost = leavers + many, lost + many * gone
        if due or after < before:
            could, shrunk = could + many * before, shrunk + many * max(before - after, 0)
    paid = conversion.minor(opened)
    return Retention(
        customers_opening=payers,
        customers=customers,
        grr=ratio(conversion.minor(kept), paid),
        nrr=ratio(conversion.minor(held), paid),
        logo_churn=ratio(lost, leavers),
        revenue_churn=ratio(conversion.minor(shrunk), conversion.minor(could)),
    )


def is_due(cycle: int, anchor_day: int, days: Days) -> bool:
    """Whether a plan that is billed each `cycle` months since `anchor_day` is due within days;
    one that is due within a month always is."""
    return not cycle or _renews(cycle, anchor_day, days)


@lru_cache(maxsize=65_536)
def _renews(cycle: int, anchor_day: int, days: Days) -> bool:
    anchor = date.fromordinal(anchor_day + _EPOCH)
    reach = date.fromordinal(days.first + _EPOCH)
    months = (reach.year - anchor.year) * 12 + reach.month - anchor.month
    number = max(1, months // cycle)
    while (day := _after(anchor, number * cycle)) < days.end:
        if day >= days.first:
            return True
        number += 1
    return False


def _after(anchor: date, months: int) -> int:
    """The day so many months later; the last of a month that is too short."""
    years, month = divmod(anchor.month - 1 + months, 12)
    year = anchor.year + years
    day = min(anchor.day, monthrange(year, month + 1)[1])
    return date(year, month + 1, day).toordinal() - _EPOCH


def month_starts(days: Days) -> list[int]:
    """The first days of calendar months that lie within a period and not at its ends."""
    at = date.fromordinal(days.first + _EPOCH).replace(day=1)
    starts = (_after(at, number) for number in range(1, (days.end - days.first) // 28 + 2))
    return [day for day in starts if days.first < day < days.end]


def ltv_minor(mrr_minor: int, customers: int, logo_churn: Ratio | None, days: Days) -> int | None:
    """What a customer pays before it leaves, minor units: ARPA by churn a month, the months of the
    period being the nearest whole number."""
    length = days.end - days.first
    if not customers or logo_churn is None or not logo_churn.numerator or length < MONTH_DAYS:
        return None
    months = divided(length * 16, _MONTH_16)
    return divided(mrr_minor * logo_churn.denominator * months, customers * logo_churn.numerator)


def converted(parts: Mapping[str, Movements], conversion: Conversion) -> Movements:
    """Movements of several currencies in one. Balances are rounded, and a movement is what lies
    between two of them, so that they add up still."""
    (only,) = run({name: part.opening for name, part in parts.items()}, [parts], conversion)
    return only


def run(
    opening: Mapping[str, int], periods: Collection[Mapping[str, Movements]], conversion: Conversion
) -> list[Movements]:
    """The movements of periods that follow each other, in one currency; each begins with the
    balance at which the one before ended, whatever `opening` its parts say."""
    balance = sum(conversion.exact(name, amount) for name, amount in opening.items())
    found = []
    for parts in periods:
        rounded = {"opening": conversion.minor(balance)}
        at = rounded["opening"]
        for field, sign in _SIGNS:
            balance += sign * sum(
                conversion.exact(name, getattr(part, field)) for name, part in parts.items()
            )
            reached = conversion.minor(balance)
            rounded[field], at = sign * (reached - at), reached
        found.append(Movements(**rounded))
    return found


_SIGNS = (("new", 1), ("expansion", 1), ("contraction", -1), ("churn", -1), ("reactivation", 1))


def _worth(amounts: Mapping[str, int], conversion: Conversion) -> int:
    return sum(conversion.exact(currency, amount) for currency, amount in amounts.items())

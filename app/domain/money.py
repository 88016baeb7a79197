"""Money in whole minor units, what a plan is worth a month, and other currencies.

Amounts are integers. What does not come out even is kept as an exact fraction up to the one place
where it is rounded: `divided`, to the nearest whole minor unit, halves to the even one. It happens
once for each subscription (`monthly`) and once for each number that is converted
(`Conversion.minor`), so sums of subscriptions, days and months add up to the unit.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache
from math import lcm

from app.domain.currency import MINOR_DIGITS

#: Ratios that people set (a discount, a platform's share) are kept in millionths.
PPM = 1_000_000


class Interval(StrEnum):
    """How often a plan is billed."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"


#: Times a month, as numerator and denominator: a year has 12 months, 52 weeks and 365 days.
_A_MONTH = {
    Interval.DAY: (365, 12),
    Interval.WEEK: (52, 12),
    Interval.MONTH: (1, 1),
    Interval.YEAR: (1, 12),
}


def divided(numerator: int, denominator: int) -> int:
    """The nearest whole number, halves to the even one: the one rule of rounding. `denominator`
    is positive."""
    whole, rest = divmod(numerator, denominator)
    return whole + (2 * rest > denominator or (2 * rest == denominator and whole % 2 == 1))


@lru_cache(maxsize=65_536)
def monthly(
    amount_minor: int, quantity: int, interval: Interval, every: int, discount_ppm: int
) -> int:
    """What a plan is worth a month, minor units: `amount_minor` for one quantity each `every`
    intervals, less its discount. 588.00 a year is 49.00; 10.00 a week is 43.33."""
    times, months = _A_MONTH[interval]
    return divided(amount_minor * quantity * (PPM - discount_ppm) * times, PPM * months * every)


def cycle_months(interval: Interval, every: int) -> int:
    """After how many months a plan is due again; 0 for one that is due within a month. Weeks and
    days count by the nearest whole month."""
    times, months = _A_MONTH[interval]
    length = divided(months * every, times)
    return length if length > 1 else 0


@lru_cache(maxsize=65_536)
def share_of(amount_minor: int, ppm: int) -> int:
    """A part of an amount, minor units."""
    return divided(amount_minor * ppm, PPM)


@dataclass(frozen=True, slots=True)
class Rate:
    """One `base` was worth `value` units (not minor ones) of `currency` on `day`, counted from
    1970."""

    base: str
    currency: str
    day: int
    value: Fraction


@dataclass(frozen=True, slots=True)
class Conversion:
    """Amounts of several currencies in one, exactly: `weights` are how many of the `parts` of a
    minor unit of `into` one minor unit of a currency is. `days` are the dates of the rates used;
    a currency that is in neither has no rate and cannot be converted."""

    into: str
    weights: Mapping[str, int]
    parts: int
    days: Mapping[str, int]

    def exact(self, currency: str, amount_minor: int) -> int:
        """An amount in parts, without rounding; of a currency without a rate 0."""
        return self.weights.get(currency, 0) * amount_minor

    def minor(self, parts: int) -> int:
        """Parts in minor units, rounded."""
        return divided(parts, self.parts)

    def rate(self, currency: str) -> Fraction | None:
        """How many units of `into` one unit of `currency` is; None: unknown."""
        if currency not in self.weights:
            return None
        digits = MINOR_DIGITS[currency] - MINOR_DIGITS[self.into]
        return Fraction(self.weights[currency], self.parts) * Fraction(10) ** digits


def conversion(into: str, currencies: Iterable[str], rates: Iterable[Rate]) -> Conversion:
    """How to say `currencies` in `into`, each by its newest rate among `rates`.

    Two currencies meet in a base that has rates for both; the date of a pair is the older one's.
    """
    newest: dict[tuple[str, str], Rate] = {}
    for rate in rates:
        known = newest.get((rate.base, rate.currency))
        if known is None or known.day < rate.day:
            newest[rate.base, rate.currency] = rate
    exact, days = {into: Fraction(1)}, {}
    for currency in currencies:
        met = None if currency == into else _meet(currency, into, newest)
        if met is not None:
            digits = MINOR_DIGITS[into] - MINOR_DIGITS[currency]
            exact[currency] = met[0] * Fraction(10) ** digits
            days[currency] = met[1]
    parts = lcm(*(value.denominator for value in exact.values()))
    return Conversion(
        into, {name: int(value * parts) for name, value in exact.items()}, parts, days
    )


def _meet(
    currency: str, into: str, newest: Mapping[tuple[str, str], Rate]
) -> tuple[Fraction, int] | None:
    """The rate of a pair and its day, by the base whose rates are the newest."""
    found = []
    for base in sorted({base for base, _ in newest}):
        sides = [
            Rate(base, side, 2**31, Fraction(1)) if side == base else newest.get((base, side))
            for side in (currency, into)
        ]
        if sides[0] is not None and sides[1] is not None:
            day = min(sides[0].day, sides[1].day)
            found.append((sides[1].value / sides[0].value, day))
    return max(found, key=lambda pair: pair[1], default=None)

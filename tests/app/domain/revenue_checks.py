"""Random histories through `app.domain` and through the brute force, and whether they agree."""

import random
from calendar import monthrange
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date
from fractions import Fraction

from app.domain.billing import BillingType
from app.domain.currency import MINOR_DIGITS
from app.domain.money import PPM, Conversion, Interval, Rate, conversion
from app.domain.retention import Days, Holding, Retention, converted, retention
from app.domain.revenue import Movement, Movements, Span, Step, line, steps
from app.domain.subscription import Said, fold
from tests.app.domain import revenue_oracle as oracle

DAYS = 130
RATES = (
    Rate("EUR", "USD", 1, Fraction("1.0823")),
    Rate("EUR", "USD", 0, Fraction("9")),
    Rate("EUR", "JPY", 1, Fraction("171.37")),
)


def said(name: str, event: oracle.Event) -> Said:
    told = event.told
    return Said(
        number=event.number,
        type=BillingType(event.type),
        at_us=event.at_us,
        installation=name,
        interval=Interval(told["interval"]) if "interval" in told else None,
        every=told.get("every"),
        quantity=told.get("quantity"),
        amount_minor=told.get("amount"),
        currency=told.get("currency"),
        discount_ppm=int(told["discount"] * PPM) if "discount" in told else None,
        ends_us=told.get("ends"),
    )


def steps_of(history: oracle.History) -> list[Step]:
    """What the domain makes of an account."""
    lines = []
    for name, events in sorted(history.subscriptions.items()):
        found = fold([said(name, event) for event in events], history.until_day * oracle.DAY_US - 1)
        assert found is not None
        lines.append(line(found.stretches, [Span(*gap) for gap in history.away.get(name, ())]))
    return [step for step in steps(lines) if step.day < history.until_day]


def amounts_on(found: Sequence[Step], day: int) -> dict[str, int]:
    return {
        step.currency: step.after_minor
        for step in found
        if step.day <= day < step.until_day and step.after_minor
    }


def check_account(found: Sequence[Step], table: oracle.Table) -> None:
    """Every day: the balances, the movements and their kinds, and the state of the account."""
    moved = {(step.day, step.currency): step for step in found if step.kind is not Movement.STILL}
    for day in range(len(table.paid)):
        assert amounts_on(found, day) == table.paid[day], day
        expected = {(kind, currency, size) for kind, currency, size in oracle.movements(table, day)}
        told = {
            (step.kind.value, currency, abs(step.after_minor - step.before_minor))
            for (when, currency), step in moved.items()
            if when == day
        }
        assert told == expected, day
        newest = max((step for step in found if step.day <= day), key=lambda it: it.day,
                     default=None)  # fmt: skip
        if newest is not None:
            assert newest.active == table.active[day], day
            if table.paid[day]:
                assert (newest.cycle, newest.anchor_day) == table.due[day], day


def holding(found: Sequence[Step], days: Days) -> Holding:
    """One account at both ends, as a query reads it."""
    opening = [step for step in found if step.day < days.first <= step.until_day]
    closing = [step for step in found if step.day < days.end <= step.until_day]
    first = max(opening, key=lambda it: it.day, default=None)
    last = max(closing, key=lambda it: it.day, default=None)
    return Holding(
        {step.currency: step.after_minor for step in opening},
        {step.currency: step.after_minor for step in closing},
        last is not None and last.active,
        first.cycle if first else 0,
        first.anchor_day if first else 0,
    )


def months() -> Iterator[Days]:
    """Calendar months, and a few other periods."""
    first, month = 0, 1
    while first < DAYS:
        end = min(first + monthrange(1970, month)[1], DAYS)
        yield Days(first, end)
        first, month = end, month + 1
    yield from (Days(0, DAYS), Days(40, 47), Days(100, 101))


def parts_of(every: Sequence[Sequence[Step]], days: Days) -> dict[str, Movements]:
    """The movements of a period by currency: its opening balance and the sums of its steps."""
    sums: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for found in every:
        for name, amount in (amounts_on(found, days.first - 1) if days.first else {}).items():
            sums[name]["opening"] += amount
        for step in found:
            if days.first <= step.day < days.end and step.kind is not Movement.STILL:
                sums[step.currency][step.kind.value] += abs(step.after_minor - step.before_minor)
    return {name: Movements(**fields) for name, fields in sums.items()}


def check_portfolio(seed: int, accounts: int) -> int:
    """So many random accounts of one integration: every day, month and currency closes, and every
    ratio is what counting says; how many histories that were."""
    chance = random.Random(seed)
    histories = [oracle.random_history(chance, DAYS) for _ in range(accounts)]
    tables = [oracle.table(history) for history in histories]
    every = [steps_of(history) for history in histories]
    for found, table in zip(every, tables, strict=True):
        check_account(found, table)
    rates = conversion("USD", ("USD", "EUR", "JPY"), RATES)
    for days in [*months(), *(Days(day, day + 1) for day in range(DAYS))]:
        parts = parts_of(every, days)
        for name in ("USD", "EUR", "JPY"):
            part = parts.get(name, Movements())
            closing = sum(table.paid[days.end - 1].get(name, 0) for table in tables)
            assert part.closing == closing, (days, name)
        check_converted(converted(parts, rates), tables, days, rates)
    for days in months():
        check_ratios(retention([holding(each, days) for each in every], rates, days), tables, days)
    return accounts


def check_converted(
    one: Movements, tables: Sequence[oracle.Table], days: Days, rates: Conversion
) -> None:
    """In one currency, too, both balances are right to the unit and the movements add up."""
    for day, told in ((days.first - 1, one.opening), (days.end - 1, one.closing)):
        exact = sum(
            Fraction(amount) * exact_rate(name)
            for table in tables
            for name, amount in (table.paid[day] if day >= 0 else {}).items()
        )
        assert told == round(exact), days
    assert min(one.new, one.expansion, one.contraction, one.churn, one.reactivation) >= 0
    assert rates.into == "USD"


def exact_rate(name: str) -> Fraction:
    """Minor units of USD for one of a currency."""
    units = {"USD": Fraction(1), "EUR": Fraction("1.0823"),
             "JPY": Fraction("1.0823") / Fraction("171.37")}[name]  # fmt: skip
    return units * Fraction(10) ** (MINOR_DIGITS["USD"] - MINOR_DIGITS[name])


def check_ratios(found: Retention, tables: Sequence[oracle.Table], days: Days) -> None:
    rates = {name: exact_rate(name) for name in ("USD", "EUR", "JPY")}
    expected = oracle.figures(tables, *days, rates)
    for name in ("grr", "nrr", "logo_churn", "revenue_churn"):
        terms = getattr(found, name)
        told = (terms.numerator, terms.denominator) if terms else (0, 0)
        assert told == expected[name], (name, days)
    assert found.customers == expected["customers"], days


def day_of(text: str) -> int:
    return date.fromisoformat(text).toordinal() - date(1970, 1, 1).toordinal()

"""What revenue is computed from, read from the registry for one integration."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    String,
    and_,
    case,
    exists,
    func,
    or_,
    select,
    text,
    type_coerce,
)
from sqlalchemy.orm import aliased

from app.domain.billing import BillingType
from app.domain.money import Conversion, Rate, conversion
from app.domain.retention import Days, Holding, Ratio, ratio
from app.domain.revenue import Movement, Movements
from app.domain.subscription import Status
from app.domain.window import DAY_US
from app.models import ExchangeRate, Installation, PaymentDay, RevenueStep, Subscription
from app.models.billing import HAD_TRIAL
from app.queries import revenue_accounts

_NOTHING = Movements()
#: Rows of a list on a page.
LISTED = 50


class Sums(NamedTuple):
    """Payments of one type in one currency."""

    events: int
    total_minor: int
    share_minor: int


#: Movements of periods that follow each other, by currency.
Moved = Sequence[Mapping[str, Movements]]
Paid = dict[tuple[str, BillingType], Sums]


def movements(reading: Connection, integration_id: int, periods: Sequence[Days]) -> Moved:
    """The movements of periods that follow each other, by currency, without balances."""
    first, end = periods[0].first, periods[-1].end
    step = RevenueStep
    kind = type_coerce(step.kind, String)
    size = func.sum(func.abs(step.after_minor - step.before_minor))
    rows = reading.execute(
        select(step.day, step.currency, kind, size)
        .where(
            step.integration_id == integration_id,
            step.day >= first,
            step.day < end,
            step.kind != Movement.STILL,
        )
        .group_by(step.day, step.currency, step.kind)
    )
    sums = [defaultdict[str, Counter[str]](Counter) for _ in periods]
    of_day = [each for each, days in zip(sums, periods, strict=True) for _ in range(*days)]
    for day, currency, word, amount in rows.all():  # all at once: three times as fast
        of_day[day - first][currency][word] += int(amount)
    return [{name: Movements(**kinds) for name, kinds in each.items()} for each in sums]


def holdings(reading: Connection, integration_id: int, days: Days) -> list[Holding]:
    """What every account of an integration that pays at one of both ends of some days pays at each;
    equal ones together, because most pay one of a few prices.

    The database counts them. What it cannot tell by looking at one step after the other is who
    paid in several currencies: those few accounts are read.
    """
    several = revenue_accounts.in_several_currencies(reading, integration_id)
    among = revenue_accounts.Among(integration_id, days, any_several=bool(several))
    still, moved = among.still(reading), among.moved(reading)
    arrived = among.closing(reading)
    for each in moved:
        arrived.subtract(dict.fromkeys(each.closing.items(), each.number))
    new = [
        Holding({}, {currency: amount}, stays=True, number=number)
        for (currency, amount), number in arrived.items()
        if number
    ]
    return [*still, *moved, *new, *revenue_accounts.each(reading, integration_id, days, several)]


def payments(reading: Connection, integration_id: int, days: Days) -> Paid:
    """What was paid in some days, by currency and type."""
    rows = reading.execute(
        select(
            PaymentDay.currency,
            PaymentDay.type,
            func.sum(PaymentDay.events),
            func.sum(PaymentDay.total_minor),
            func.sum(PaymentDay.share_minor),
        )
        .where(
            PaymentDay.integration_id == integration_id,
            PaymentDay.day >= days.first,
            PaymentDay.day < days.end,
        )
        .group_by(PaymentDay.currency, PaymentDay.type)
    )
    return {
        (currency, kind): Sums(int(events), int(total), int(share))
        for currency, kind, events, total, share in rows
    }


def trial_conversion(reading: Connection, integration_id: int, days: Days) -> Ratio | None:
    """Of the accounts whose trial began in some days, those that have paid since."""
    table, payer = Subscription, aliased(Subscription)
    trials = (
        select(table.account, func.min(table.trial_us).label("began_us"))
        .where(
            table.integration_id == integration_id,
            text(HAD_TRIAL),
            table.trial_us >= days.first * DAY_US,
            table.trial_us < days.end * DAY_US,
        )
        .group_by(table.account)
        .subquery()
    )
    paid = exists().where(
        payer.integration_id == integration_id,
        payer.account == trials.c.account,
        payer.paid_us >= trials.c.began_us,
    )
    won = func.sum(case((paid, 1), else_=0))
    number, converted = reading.execute(select(func.count(), won).select_from(trials)).one()
    return ratio(int(converted or 0), number)


def _unmatched(integration_id: int) -> tuple[ColumnElement[bool], ...]:
    known = select(Installation.external_id).where(
        Installation.integration_id == integration_id,
        Installation.external_id == Subscription.installation,
    )
    return (
        Subscription.integration_id == integration_id,
        Subscription.ended_us.is_(None),
        ~known.exists(),
    )


def unmatched(reading: Connection, integration_id: int) -> int:
    """Subscriptions that run, of installations that nobody told of."""
    found = reading.scalar(
        select(func.count()).select_from(Subscription).where(*_unmatched(integration_id))
    )
    return found or 0


def unmatched_rows(reading: Connection, integration_id: int) -> Sequence[Any]:
    """Those subscriptions, newest first, as `UnmatchedView` has them; at most `LISTED`."""
    table = Subscription
    return reading.execute(
        select(
            table.external_id, table.installation, table.customer, table.plan, table.currency,
            table.mrr_minor, table.last_us,
        )
        .where(*_unmatched(integration_id))
        .order_by(table.last_us.desc(), table.external_id)
        .limit(LISTED)
    ).all()  # fmt: skip


def plans(reading: Connection, integration_id: int) -> Sequence[Any]:
    """The plans and prices of active subscriptions, as `PlanView` has them; at most `LISTED`."""
    table = Subscription
    price = (table.plan, table.interval, table.every, table.currency, table.amount_minor)
    number = func.count().label("number")
    return reading.execute(
        select(*price, number, func.sum(table.quantity), func.sum(table.mrr_minor))
        .where(
            table.integration_id == integration_id,
            table.status == Status.ACTIVE,
            or_(table.mrr_minor > 0, table.amount_minor == 0),
        )
        .group_by(*price)
        .order_by(number.desc(), *price)
        .limit(LISTED)
    ).all()


def rates(reading: Connection, into: str, currencies: Collection[str], day: int) -> Conversion:
    """How to say these currencies in one, as of a day."""
    if not set(currencies) - {into, ""}:
        return conversion(into, (), ())
    newest = (
        select(ExchangeRate.base, ExchangeRate.currency, func.max(ExchangeRate.day).label("day"))
        .where(ExchangeRate.day <= day, ExchangeRate.currency.in_({into, *currencies}))
        .group_by(ExchangeRate.base, ExchangeRate.currency)
        .subquery()
    )
    rows = reading.execute(
        select(ExchangeRate.base, ExchangeRate.currency, ExchangeRate.day, ExchangeRate.value).join(
            newest,
            and_(
                ExchangeRate.base == newest.c.base,
                ExchangeRate.currency == newest.c.currency,
                ExchangeRate.day == newest.c.day,
            ),
        )
    )
    known = [Rate(base, name, on, Fraction(value)) for base, name, on, value in rows]
    return conversion(into, set(currencies) - {""}, known)


def opening_of(held: Collection[Holding]) -> dict[str, int]:
    """What all accounts together pay at the opening, by currency."""
    found: dict[str, int] = defaultdict(int)
    for account in held:
        for currency, amount in account.opening.items():
            found[currency] += amount * account.number
    return dict(found)


def total(opening: Mapping[str, int], moved: Moved) -> dict[str, Movements]:
    """The movements of all of these periods, by currency, with their opening balances."""
    found = {name: Movements(amount) for name, amount in opening.items() if amount}
    for parts in moved:
        for name, part in parts.items():
            found[name] = _added(found.get(name, _NOTHING), part)
    return found


def _added(one: Movements, other: Movements) -> Movements:
    """The movements of two periods, with the opening of the first."""
    return Movements(
        one.opening,
        one.new + other.new,
        one.expansion + other.expansion,
        one.contraction + other.contraction,
        one.churn + other.churn,
        one.reactivation + other.reactivation,
    )

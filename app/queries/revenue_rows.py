"""What revenue is computed from, read from the registry for one integration."""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_, func, literal, or_, select
from sqlalchemy.orm import Session

from app.domain.billing import BillingType
from app.domain.money import Conversion, Rate, conversion
from app.domain.retention import Days, Holding, Ratio, ratio
from app.domain.revenue import Movement, Movements
from app.domain.subscription import Status
from app.domain.window import DAY_US
from app.models import ExchangeRate, Installation, PaymentDay, RevenueStep, Subscription

_NOTHING = Movements()
#: Rows of a list on a page.
LISTED = 50


class Sums(NamedTuple):
    """Payments of one type in one currency."""

    events: int
    total_minor: int
    share_minor: int


Moved = dict[tuple[int, str], Movements]
Paid = dict[tuple[str, BillingType], Sums]
#: Amounts by currency, in order.
Pays = tuple[tuple[str, int], ...]


def movements_by_day(session: Session, integration_id: int, days: Days) -> Moved:
    """The movements of each day and currency in which something moved, without balances."""
    sizes: dict[tuple[int, str], dict[str, int]] = defaultdict(dict)
    for day, currency, kind, size in session.execute(_moved(integration_id, days, RevenueStep.day)):
        sizes[day, currency][kind.value] = int(size)
    return {key: Movements(**kinds) for key, kinds in sizes.items()}


def movements(session: Session, integration_id: int, days: Days) -> dict[str, Movements]:
    """The movements of some days by currency, without balances."""
    sizes: dict[str, dict[str, int]] = defaultdict(dict)
    for _, currency, kind, size in session.execute(_moved(integration_id, days, literal(0))):
        sizes[currency][kind.value] = int(size)
    return {currency: Movements(**kinds) for currency, kinds in sizes.items()}


def _moved(integration_id: int, days: Days, by: Any) -> Any:
    size = func.sum(func.abs(RevenueStep.after_minor - RevenueStep.before_minor))
    group = by.label("by")
    found = select(group, RevenueStep.currency, RevenueStep.kind, size).where(
        RevenueStep.integration_id == integration_id,
        RevenueStep.day >= days.first,
        RevenueStep.day < days.end,
        RevenueStep.kind != Movement.STILL,
    )
    return found.group_by(group, RevenueStep.currency, RevenueStep.kind)


def opening(session: Session, integration_id: int, days: Days) -> dict[str, int]:
    """What is paid before some days, by currency."""
    step = RevenueStep
    rows = session.execute(
        select(step.currency, func.sum(step.after_minor))
        .where(
            step.integration_id == integration_id,
            step.day < days.first,
            step.until_day >= days.first,
            step.after_minor > 0,
        )
        .group_by(step.currency)
    )
    return {currency: int(amount) for currency, amount in rows}


def holdings(session: Session, integration_id: int, days: Days) -> list[Holding]:
    """What every account of an integration pays at both ends of some days; equal ones together,
    because most pay one of a few prices."""
    step = RevenueStep
    before = and_(step.day < days.first, step.until_day >= days.first)
    rows = session.execute(
        select(
            step.account, step.currency, step.day, step.until_day, step.after_minor, step.active,
            step.cycle, step.anchor_day,
        ).where(
            step.integration_id == integration_id,
            step.day < days.end,
            or_(before, step.until_day >= days.end),
        )
    )  # fmt: skip
    found: dict[str, _Account] = defaultdict(_Account)
    for account, currency, day, until_day, after_minor, active, cycle, anchor_day in rows:
        held = found[account]
        if day < days.first <= until_day:
            if after_minor:
                held.opening[currency] = after_minor
            if day >= held.opened_day:
                held.opened_day, held.cycle, held.anchor_day = day, cycle, anchor_day
        if until_day >= days.end:
            if after_minor:
                held.closing[currency] = after_minor
            if day >= held.closed_day:
                held.closed_day, held.stays = day, active
    alike = Counter(each.standing() for each in found.values())
    return [
        Holding(dict(opening), dict(closing), stays, cycle, anchor_day, number)
        for (opening, closing, stays, cycle, anchor_day), number in alike.items()
    ]


class _Account:
    """An account while its steps are read."""

    __slots__ = (
        "anchor_day", "closed_day", "closing", "cycle", "opened_day", "opening", "stays",
    )  # fmt: skip

    def __init__(self) -> None:
        self.opening: dict[str, int] = {}
        self.closing: dict[str, int] = {}
        self.opened_day = self.closed_day = -1
        self.cycle = self.anchor_day = 0
        self.stays = False

    def standing(self) -> tuple[Pays, Pays, bool, int, int]:
        """What makes two accounts equal."""
        opening, closing = self.opening, self.closing
        cycle, anchor_day = (self.cycle, self.anchor_day) if self.cycle else (0, 0)
        return _in_order(opening), _in_order(closing), self.stays, cycle, anchor_day


def _in_order(amounts: Mapping[str, int]) -> Pays:
    return tuple(amounts.items() if len(amounts) < 2 else sorted(amounts.items()))


def payments(session: Session, integration_id: int, days: Days) -> Paid:
    """What was paid in some days, by currency and type."""
    rows = session.execute(
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


def trial_conversion(session: Session, integration_id: int, days: Days) -> Ratio | None:
    """Of the accounts whose trial began in some days, those that have paid since."""
    mine = Subscription.integration_id == integration_id
    began = and_(
        mine,
        Subscription.trial_us >= days.first * DAY_US,
        Subscription.trial_us < days.end * DAY_US,
    )
    trials: dict[str, int] = {}
    for account, trial_us in session.execute(
        select(Subscription.account, func.min(Subscription.trial_us))
        .where(began)
        .group_by(Subscription.account)
    ):
        trials[account] = trial_us or 0
    if not trials:
        return None
    among = select(Subscription.account).where(began)
    paid = session.execute(
        select(Subscription.account, func.max(Subscription.paid_us))
        .where(mine, Subscription.account.in_(among), Subscription.paid_us.is_not(None))
        .group_by(Subscription.account)
    )
    won = sum((paid_us or 0) >= trials[account] for account, paid_us in paid)
    return ratio(won, len(trials))


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


def unmatched(session: Session, integration_id: int) -> int:
    """Subscriptions that run, of installations that nobody told of."""
    found = session.scalar(
        select(func.count()).select_from(Subscription).where(*_unmatched(integration_id))
    )
    return found or 0


def unmatched_rows(session: Session, integration_id: int) -> Sequence[Any]:
    """Those subscriptions, newest first, as `UnmatchedView` has them; at most `LISTED`."""
    table = Subscription
    return session.execute(
        select(
            table.external_id, table.installation, table.customer, table.plan, table.currency,
            table.mrr_minor, table.last_us,
        )
        .where(*_unmatched(integration_id))
        .order_by(table.last_us.desc(), table.external_id)
        .limit(LISTED)
    ).all()  # fmt: skip


def plans(session: Session, integration_id: int) -> Sequence[Any]:
    """The plans and prices of active subscriptions, as `PlanView` has them; at most `LISTED`."""
    table = Subscription
    price = (table.plan, table.interval, table.every, table.currency, table.amount_minor)
    number = func.count().label("number")
    return session.execute(
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


def by_period(moved: Moved, periods: Sequence[Days]) -> list[dict[str, Movements]]:
    """Movements by day as those of periods that follow each other, by currency."""
    found: list[dict[str, Movements]] = [{} for _ in periods]
    ends = [period.end for period in periods]
    for (day, currency), part in moved.items():
        known = found[bisect_right(ends, day)]
        known[currency] = added(known.get(currency, _NOTHING), part)
    return found


def rates(session: Session, into: str, currencies: Collection[str], day: int) -> Conversion:
    """How to say these currencies in one, as of a day."""
    if not set(currencies) - {into, ""}:
        return conversion(into, (), ())
    newest = (
        select(ExchangeRate.base, ExchangeRate.currency, func.max(ExchangeRate.day).label("day"))
        .where(ExchangeRate.day <= day, ExchangeRate.currency.in_({into, *currencies}))
        .group_by(ExchangeRate.base, ExchangeRate.currency)
        .subquery()
    )
    rows = session.execute(
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


def total(opening: Mapping[str, int], moved: Mapping[str, Movements]) -> dict[str, Movements]:
    """The movements of a whole period, by currency, with their opening balances."""
    names = {name for name, amount in opening.items() if amount} | moved.keys()
    return {
        name: replace(moved.get(name, _NOTHING), opening=opening.get(name, 0)) for name in names
    }


def added(one: Movements, other: Movements) -> Movements:
    """The movements of two periods, with the opening of the first."""
    return Movements(
        one.opening,
        one.new + other.new,
        one.expansion + other.expansion,
        one.contraction + other.contraction,
        one.churn + other.churn,
        one.reactivation + other.reactivation,
    )

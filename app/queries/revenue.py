"""What an integration earns: MRR, how it moved, who stays, and what was paid.

Windows are whole UTC days: one that is asked for is widened to them. A question that names no
currency is answered in the one that most of the paying accounts pay in. Amounts of other currencies
are converted by the newest rate of the window's last day, and those without a rate are told of
beside the sum, never added to it.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from sqlalchemy import Connection, select

from app.db import looking_up
from app.domain.billing import BillingType
from app.domain.currency import MINOR_DIGITS
from app.domain.money import Conversion, divided
from app.domain.retention import (
    Days,
    Holding,
    Ratio,
    Retention,
    converted,
    ltv_minor,
    month_starts,
    retention,
    run,
)
from app.domain.revenue import Movements
from app.domain.scope import Scope
from app.domain.window import DAY_US, Window, ceil, floor
from app.errors import BadQuery, NotFound
from app.models import Integration
from app.queries import revenue_rows as rows
from app.queries.at_risk import RiskView, at_risk
from app.queries.reading import Reading
from app.queries.registry import integration_within
from app.telemetry import timed_query

#: What is said of an integration to which nobody ever paid anything.
NO_CURRENCY = "USD"
_LONGEST_DAYS = 5 * 366
#: Until when a chart has a bar for each day, then for each week; then for each month.
_MOST_DAYS, _MOST_WEEKS = 45, 30


@dataclass(frozen=True, slots=True)
class CurrencyView:
    """One currency that is paid in: `mrr_minor` in itself, `into_minor` in the answer's. `rate` is
    units of the answer's for one, of `rate_day` (whole days since 1970): None where none is needed,
    `into_minor` where there is none."""

    currency: str
    mrr_minor: int
    into_minor: int | None
    rate: Fraction | None
    rate_day: int | None


@dataclass(frozen=True, slots=True)
class PaymentsView:
    """What was paid in a window, minor units."""

    paid_minor: int
    refunded_minor: int
    failed_minor: int
    failed: int
    usage_minor: int
    share_minor: int

    @property
    def net_minor(self) -> int:
        """What the partner is left with: paid, less refunds and the platform's share."""
        return self.paid_minor - self.refunded_minor - self.share_minor


@dataclass(frozen=True, slots=True)
class PeriodView:
    """The movements of the days [first, end), counted from 1970."""

    first_day: int
    end_day: int
    moved: Movements


@dataclass(frozen=True, slots=True)
class RevenueView:
    """One integration over one window, in `currency`. `window` is what the numbers really cover.

    `customers` are paying accounts at its end. `unmatched`: subscriptions of installations that
    nobody told of. `points`: the movements of each day, week or calendar month. Ratios are None
    without a denominator, `arpa_minor` without customers, `ltv_minor` while nobody leaves.
    """

    integration: str
    window: Window
    currency: str
    movements: Movements
    customers: int
    retention: Retention
    trial_conversion: Ratio | None
    arpa_minor: int | None
    ltv_minor: int | None
    risk: RiskView | None
    payments: PaymentsView
    currencies: tuple[CurrencyView, ...]
    unmatched: int
    points: tuple[PeriodView, ...] = ()

    @property
    def at_risk_minor(self) -> int | None:
        """MRR of the installations that met more failures than allowed."""
        return self.risk.at_risk_minor if self.risk else None

    @property
    def mrr_minor(self) -> int:
        """MRR at the end of the window."""
        return self.movements.closing


@dataclass(frozen=True, slots=True)
class RevenueSeries:
    """Periods that follow each other, in one currency."""

    currency: str
    points: tuple[PeriodView, ...]


@dataclass(frozen=True, slots=True)
class PlanView:
    """One plan at one price, as of now: `subscriptions` that are active and installed,
    `amount_minor` each `every` intervals for one quantity, `mrr_minor` after discounts."""

    plan: str | None
    interval: str
    every: int
    currency: str | None
    amount_minor: int
    subscriptions: int
    quantity: int
    mrr_minor: int


@dataclass(frozen=True, slots=True)
class UnmatchedView:
    """A subscription whose installation nobody told of."""

    subscription: str
    installation: str
    customer: str | None
    plan: str | None
    currency: str | None
    mrr_minor: int
    last_us: int


@timed_query("revenue")
def revenue(
    reading: Reading, scope: Scope, slug: str, window: Window, currency: str | None = None
) -> RevenueView:
    """`NotFound` outside the scope and for an internal integration, to which nobody pays;
    `BadQuery` for a currency that is none and for a window of nothing or of over five years."""
    days = days_of(window)
    spans = periods(days)
    with looking_up(reading.engine) as registry:
        number = earning(reading, registry, scope, slug, currency)
        moved = rows.movements(registry, number, spans)
        held = rows.holdings(registry, number, days)
        paid = rows.payments(registry, number, days)
        opening = rows.opening_of(held)
        parts = rows.total(opening, moved)
        into = currency or usual(held)
        names = {*parts, *(name for name, _ in paid)}
        rates = rows.rates(registry, into, names, last_day(reading, days))
        trials = rows.trial_conversion(registry, number, days)
        unmatched = rows.unmatched(registry, number)
    movements, kept = converted(parts, rates), retention(held, rates, days)
    mrr, customers = movements.closing, kept.customers
    return RevenueView(
        integration=slug,
        window=Window(days.first * DAY_US, days.end * DAY_US),
        currency=into,
        movements=movements,
        customers=customers,
        retention=kept,
        trial_conversion=trials,
        arpa_minor=divided(mrr, customers) if customers else None,
        ltv_minor=ltv_minor(mrr, customers, kept.logo_churn, days),
        risk=at_risk(reading, scope, slug, window, into),
        payments=_payments(paid, rates),
        currencies=_currencies(parts, rates),
        unmatched=unmatched,
        points=_points(opening, moved, rates, spans),
    )


def earning(
    reading: Reading, registry: Connection, scope: Scope, slug: str, currency: str | None
) -> int:
    """The id of an integration that may earn; the exceptions of `revenue`."""
    view = integration_within(reading, scope, slug)
    number = registry.scalar(select(Integration.id).where(Integration.slug == slug))
    if number is None or view.visibility == "internal":
        raise NotFound(f"{slug!r} is internal: nobody pays for it")
    if currency is not None and currency not in MINOR_DIGITS:
        raise BadQuery("currency", "a code of ISO 4217, such as USD")
    return number


def days_of(window: Window) -> Days:
    """The days of a window; `BadQuery` for one that is none or too long."""
    days = Days(floor(window.start_us, DAY_US) // DAY_US, ceil(window.end_us, DAY_US) // DAY_US)
    if not 0 < days.end - days.first <= _LONGEST_DAYS:
        raise BadQuery("from", "a window ends after it starts, and is at most five years long")
    return days


def last_day(reading: Reading, days: Days) -> int:
    """The day of whose rates a window is told: its last one, or today."""
    return min(days.end - 1, reading.clock() // DAY_US)


def usual(held: Collection[Holding]) -> str:
    """The currency that most accounts pay in, at the end or ever."""
    counts: Counter[str] = Counter()
    for account in held:
        for amounts in (account.closing, account.opening):
            for currency, amount in amounts.items():
                counts[currency] += account.number if amount else 0
    known = [name for name in counts if counts[name]]
    return min(known, key=lambda name: (-counts[name], name), default=NO_CURRENCY)


@timed_query("revenue_by_day")
def revenue_by_day(
    reading: Reading, scope: Scope, slug: str, window: Window, currency: str | None = None
) -> RevenueSeries:
    """The movements of each day of a window; exceptions as `revenue`."""
    days = days_of(window)
    spans = [Days(day, day + 1) for day in range(*days)]
    with looking_up(reading.engine) as registry:
        number = earning(reading, registry, scope, slug, currency)
        moved = rows.movements(registry, number, spans)
        held = rows.holdings(registry, number, days)
        opening = rows.opening_of(held)
        into = currency or usual(held)
        names = set(opening).union(*moved)
        rates = rows.rates(registry, into, names, last_day(reading, days))
    return RevenueSeries(into, _points(opening, moved, rates, spans))


def _points(
    opening: Mapping[str, int], moved: rows.Moved, rates: Conversion, spans: Sequence[Days]
) -> tuple[PeriodView, ...]:
    found = run(opening, moved, rates)
    return tuple(PeriodView(*span, each) for span, each in zip(spans, found, strict=True))


@timed_query("plans")
def plans(reading: Reading, scope: Scope, slug: str) -> tuple[PlanView, ...]:
    """What is paid for now, the plan of most customers first; exceptions as `revenue`."""
    with looking_up(reading.engine) as registry:
        number = earning(reading, registry, scope, slug, None)
        return tuple(PlanView(*row) for row in rows.plans(registry, number))


@timed_query("unmatched")
def unmatched(reading: Reading, scope: Scope, slug: str) -> tuple[UnmatchedView, ...]:
    """The newest subscriptions that run for installations that nobody told of; exceptions as
    `revenue`."""
    with looking_up(reading.engine) as registry:
        number = earning(reading, registry, scope, slug, None)
        return tuple(UnmatchedView(*row) for row in rows.unmatched_rows(registry, number))


def periods(days: Days) -> list[Days]:
    """A window in days, in weeks that end with it, or in calendar months, whichever is readable."""
    length = days.end - days.first
    if length > _MOST_WEEKS * 7:
        starts = [days.first, *month_starts(days)]
    else:
        step = 1 if length <= _MOST_DAYS else 7
        starts = sorted({days.first, *range(days.end - step, days.first, -step)})
    return [Days(start, end) for start, end in pairwise([*starts, days.end])]


def _payments(paid: rows.Paid, rates: Conversion) -> PaymentsView:
    totals: dict[BillingType, int] = defaultdict(int)
    shares: dict[BillingType, int] = defaultdict(int)
    for (currency, kind), sums in paid.items():
        totals[kind] += rates.exact(currency, sums.total_minor)
        shares[kind] += rates.exact(currency, sums.share_minor)
    share = shares[BillingType.INVOICE_PAID] - shares[BillingType.INVOICE_REFUNDED]
    failed = sum(sums.events for (_, kind), sums in paid.items()
                 if kind is BillingType.INVOICE_FAILED)  # fmt: skip
    return PaymentsView(
        paid_minor=rates.minor(totals[BillingType.INVOICE_PAID]),
        refunded_minor=rates.minor(totals[BillingType.INVOICE_REFUNDED]),
        failed_minor=rates.minor(totals[BillingType.INVOICE_FAILED]),
        failed=failed,
        usage_minor=rates.minor(totals[BillingType.USAGE_CHARGED]),
        share_minor=rates.minor(share),
    )


def _currencies(parts: Mapping[str, Movements], rates: Conversion) -> tuple[CurrencyView, ...]:
    found = [
        CurrencyView(
            currency=name,
            mrr_minor=part.closing,
            into_minor=rates.minor(rates.exact(name, part.closing)) if known else None,
            rate=rates.rate(name) if name != rates.into else None,
            rate_day=rates.days.get(name),
        )
        for name, part in parts.items()
        for known in (name in rates.weights,)
    ]
    return tuple(sorted(found, key=lambda each: (-(each.into_minor or 0), each.currency)))

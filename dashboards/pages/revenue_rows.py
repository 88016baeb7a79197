"""The revenue page: results in, sentence, figures and rows out. Pure."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from app.domain.retention import Ratio
from app.queries import RevenueView
from app.queries.revenue import CurrencyView, PlanView, UnmatchedView
from dashboards import format as show
from dashboards.components.strip import Figure, Place
from dashboards.pages.tables import CELL, Row

KEPT = (
    Place("mrr", "MRR", "mrr"),
    Place("customers", "Customers", "customers"),
    Place("arpa", "ARPA", "arpa"),
    Place("grr", "GRR", "grr"),
    Place("nrr", "NRR", "nrr"),
    Place("logo_churn", "Logo churn", "logo_churn"),
    Place("revenue_churn", "Revenue churn", "revenue_churn"),
    Place("at_risk", "At risk", "at_risk"),
)
PAID = (
    Place("trial_conversion", "Trial conversion", "trial_conversion"),
    Place("ltv", "LTV", "ltv"),
    Place("paid", "Paid", "paid"),
    Place("refunded", "Refunded", "refunded"),
    Place("platform_share", "Platform's share", "platform_share"),
    Place("net_payout", "Net payout", "net_payout"),
    Place("failed", "Failed", "failed"),
    Place("usage", "Usage charged", "usage"),
    Place("unmatched_subscriptions", "Unmatched", "unmatched_subscriptions"),
)
#: Below so many, a ratio of customers is told in counts.
FEW = 20
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EVERY = {"day": "a day", "week": "a week", "month": "a month", "year": "a year"}


def sentence(view: RevenueView) -> str:
    """What the page opens with: who pays how much, how that changed, who left."""
    if not view.customers and not view.retention.customers_opening:
        return "Nobody pays for it." if view.movements.closing == 0 else ""
    pays = "customer pays" if view.customers == 1 else "customers pay"
    said = f"{view.customers:,} {pays} {_money(view.mrr_minor, view)} a month"
    return f"{said}{_changed(view)}.{_left(view)}"


def _changed(view: RevenueView) -> str:
    opening = view.movements.opening
    if not opening:
        return ""
    gain = view.mrr_minor - opening
    if not gain:
        return ", as at the beginning of this time"
    word = "more" if gain > 0 else "less"
    size = show.ratio(abs(gain) / opening)
    return f", {size} {word} than at the beginning of this time"


def _left(view: RevenueView) -> str:
    churn = view.retention.logo_churn
    if churn is None:
        return ""
    if not churn.numerator:
        return " Nobody left." if churn.denominator > 1 else ""
    who = "customer" if churn.denominator == 1 else "customers"
    lost = _money(view.movements.churn, view)
    return (f" {churn.numerator:,} of {churn.denominator:,} {who} who could leave did;"
            f" {lost} a month left with those who went.")  # fmt: skip


def kept(view: RevenueView) -> list[Figure]:
    """One for each of `KEPT`."""
    kept_ = view.retention
    opening = view.movements.opening
    return [
        Figure(_money(view.mrr_minor, view), show.change(view.mrr_minor, opening),
               f"{_money(12 * view.mrr_minor, view)} a year"),
        Figure(show.count(view.customers), show.change(view.customers, kept_.customers_opening)),
        Figure(_money(view.arpa_minor, view), "", "a month"),
        _of_money(kept_.grr, view),
        _of_money(kept_.nrr, view),
        _of_customers(kept_.logo_churn),
        _of_money(kept_.revenue_churn, view),
        _at_risk(view),
    ]  # fmt: skip


def paid(view: RevenueView) -> list[Figure]:
    """One for each of `PAID`."""
    sums = view.payments
    failed = f"{sums.failed:,} time{'' if sums.failed == 1 else 's'}"
    refunded = _part(sums.refunded_minor, sums.paid_minor)
    return [
        _of_customers(view.trial_conversion),
        _ltv(view),
        Figure(_money(sums.paid_minor, view)),
        Figure(_money(sums.refunded_minor, view), "", refunded, shown=sums.refunded_minor > 0),
        Figure(_money(sums.share_minor, view), "", _part(sums.share_minor, sums.paid_minor)),
        Figure(_money(sums.net_minor, view)),
        Figure(_money(sums.failed_minor, view), "", failed, "warn", shown=sums.failed > 0),
        Figure(_money(sums.usage_minor, view), shown=sums.usage_minor > 0),
        Figure(show.count(view.unmatched), "", "installation not known", "warn",
               shown=view.unmatched > 0),
    ]  # fmt: skip


def currency_row(view: CurrencyView, into: str) -> Row:
    """One currency that is paid in, with the rate it was converted by."""
    rate = "" if view.rate is None else f"{float(view.rate):.6g}{show.THIN}{into}"
    on = "" if view.rate_day is None else day(view.rate_day)
    if view.currency != into and view.into_minor is None:
        rate = "no rate"
    return {
        "id": view.currency,
        "currency": view.currency,
        "mrr": view.mrr_minor,
        "mrr_text": show.money(view.mrr_minor, view.currency),
        "rate": rate or show.NONE,
        "on": on or show.NONE,
        "into": view.into_minor,
        "into_text": show.money(view.into_minor, into),
    }


def plan_row(view: PlanView, place: int) -> Row:
    """One plan at one price."""
    currency = view.currency or ""
    every = _EVERY[view.interval] if view.every == 1 else f"every {view.every} {view.interval}s"
    return {
        "id": str(place),
        "plan": show.plain(view.plan, CELL) or show.NONE,
        "price": view.amount_minor,
        "price_text": f"{show.money(view.amount_minor, currency)} {every}"
        if view.amount_minor else "free",
        "subscriptions": view.subscriptions,
        "subscriptions_text": show.count(view.subscriptions),
        "quantity": view.quantity,
        "quantity_text": show.count(view.quantity),
        "mrr": view.mrr_minor,
        "mrr_text": show.money(view.mrr_minor, currency),
    }  # fmt: skip


def unmatched_row(view: UnmatchedView) -> Row:
    """A subscription whose installation nobody told of."""
    return {
        "id": view.subscription,
        "subscription": show.plain(view.subscription, CELL),
        "installation": show.plain(view.installation, CELL),
        "customer": show.plain(view.customer, CELL) or show.NONE,
        "plan": show.plain(view.plan, CELL) or show.NONE,
        "mrr": view.mrr_minor,
        "mrr_text": show.money(view.mrr_minor, view.currency or ""),
        "last_us": view.last_us,
        "stamp": show.stamp(view.last_us),
    }


def day(number: int) -> str:
    """`22 Nov 2026`, of whole days since 1970."""
    at = _EPOCH + timedelta(days=number)
    return f"{at.day} {at:%b %Y}"


def span(view: RevenueView) -> str:
    """The days that the numbers cover."""
    first = (view.window.start_us // _DAY_US, view.window.end_us // _DAY_US - 1)
    return f"{day(first[0])} to {day(first[1])}, whole days of UTC"


_DAY_US = 86_400_000_000


def _money(amount_minor: int | None, view: RevenueView) -> str:
    return show.money(amount_minor, view.currency)


def _of_money(ratio: Ratio | None, view: RevenueView) -> Figure:
    if ratio is None:
        return Figure(show.NONE)
    terms = f"{_money(ratio.numerator, view)} of {_money(ratio.denominator, view)}"
    return Figure(show.ratio(ratio.value), "", terms)


def _of_customers(ratio: Ratio | None) -> Figure:
    """A ratio of people; of few of them counts are shown and nothing is concluded."""
    if ratio is None:
        return Figure(show.NONE)
    terms = f"{ratio.numerator:,} of {ratio.denominator:,}"
    if ratio.denominator < FEW:
        return Figure(terms, "", "too few for a rate")
    return Figure(show.ratio(ratio.value), "", terms)


def _at_risk(view: RevenueView) -> Figure:
    """What failures put at risk; not there where it cannot be said."""
    amount = view.at_risk_minor or 0
    part = f"{show.ratio(amount / view.mrr_minor)} of MRR" if amount and view.mrr_minor else ""
    known = view.at_risk_minor is not None
    return Figure(_money(amount, view), "", part, "bad" if amount else "", shown=known)


def _ltv(view: RevenueView) -> Figure:
    churn = view.retention.logo_churn
    if view.ltv_minor is None:
        nobody = churn is not None and not churn.numerator
        return Figure("unknown", "", "nobody left" if nobody else "too little to tell")
    note = "of few customers" if churn and churn.denominator < FEW else ""
    return Figure(_money(view.ltv_minor, view), "", note)


def _part(amount: int, whole: int) -> str:
    return f"{show.ratio(amount / whole)} of what was paid" if whole and amount else ""


def currency_rows(views: Sequence[CurrencyView], into: str) -> list[Row]:
    """Rows of all currencies, where there is more than the one."""
    if {each.currency for each in views} <= {into}:
        return []
    return [currency_row(each, into) for each in views]

"""What an integration earns."""

import csv
import io
from datetime import UTC, datetime, timedelta
from typing import Any

import marshmallow as ma
from flask import Response
from flask_smorest import Blueprint
from marshmallow import fields

from app import queries
from app.api import rendering
from app.api.arguments import Span, window_of
from app.api.context import now_us, reading, scope
from app.api.ratios import both_terms
from app.api.schemas import WindowSchema
from app.domain.currency import MINOR_DIGITS
from app.domain.retention import Ratio
from app.domain.window import DAY_US, Window, window_ending
from app.queries import RevenueView, RiskView
from app.queries.revenue import CurrencyView

Json = dict[str, Any]
#: The window of a question that names none.
USUAL_US = 30 * DAY_US
MOVES = ("opening", "new", "expansion", "contraction", "churn", "reactivation", "closing")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class RevenueArguments(Span):
    """`revenue?window|from&to&currency=`; the last 30 days unless a window is named."""

    currency = fields.String(
        validate=ma.validate.OneOf(sorted(MINOR_DIGITS)),
        metadata={"description": "What amounts are told in; default: what most customers pay in"},
    )


def minor(description: str, *, nullable: bool = False) -> fields.Integer:
    """The field of an amount."""
    known = {"description": f"{description}, minor units"}
    return fields.Integer(required=True, allow_none=nullable, metadata=known)


class MoneySchema(ma.Schema):
    """An amount."""

    amount_minor = minor("How much")
    currency = fields.String(required=True)


class MovementsSchema(ma.Schema):
    """opening + new + expansion - contraction - churn + reactivation = closing."""

    opening = minor("MRR before")
    new = minor("Of first payers")
    expansion = minor("More of payers")
    contraction = minor("Less of those who stay")
    churn = minor("Of those who left")
    reactivation = minor("Of those who came back")
    closing = minor("MRR after")


class PaymentsSchema(ma.Schema):
    """What was paid in the window, never part of MRR."""

    paid_minor = minor("Invoices paid")
    refunded_minor = minor("Refunds")
    failed_minor = minor("Invoices that could not be collected")
    failed = fields.Integer(required=True)
    usage_minor = minor("Usage charged, beside invoices")
    platform_share_minor = minor("The platform's part of what was paid and not refunded")
    net_payout_minor = minor("paid - refunded - platform_share")


class CurrencySchema(ma.Schema):
    """One currency that is paid in. `rate` is units of the answer's currency for one of it."""

    currency = fields.String(required=True)
    mrr_minor = minor("MRR in it")
    converted_minor = minor("The same in the answer's; null: no rate", nullable=True)
    rate = fields.String(required=True, allow_none=True)
    rate_date = fields.String(required=True, allow_none=True, metadata={"format": "date"})


class RiskSchema(ma.Schema):
    """What failures of the window put at risk. `unsure`: too few exchanges to judge."""

    installations = fields.Integer(required=True)
    by_fault = fields.Dict(keys=fields.String(), values=fields.Integer(), required=True)
    unsure = fields.Integer(required=True)
    unsure_minor = minor("What the unsure ones pay")
    unconverted = fields.List(fields.String(), required=True)


class RevenueSchema(ma.Schema):
    """One integration over one window of whole UTC days."""

    integration = fields.String(required=True)
    window = fields.Nested(WindowSchema, required=True)
    currency = fields.String(required=True)
    mrr = fields.Nested(MoneySchema, required=True)
    arr = fields.Nested(MoneySchema, required=True)
    movements = fields.Nested(MovementsSchema, required=True)
    customers = fields.Integer(required=True)
    arpa_minor = minor("MRR of one customer", nullable=True)
    grr = both_terms()
    nrr = both_terms()
    logo_churn = both_terms()
    revenue_churn = both_terms()
    trial_conversion = both_terms()
    ltv_minor = minor("ARPA by monthly logo churn; null: nobody left", nullable=True)
    at_risk_minor = minor(
        "MRR of installations that met too many failures; null: nobody pays", nullable=True
    )
    at_risk = fields.Nested(RiskSchema, required=True, allow_none=True)
    payments = fields.Nested(PaymentsSchema, required=True)
    currencies = fields.List(fields.Nested(CurrencySchema), required=True)
    unmatched_subscriptions = fields.Integer(required=True)
    links = fields.Dict(keys=fields.String(), required=True)


def add_routes(api: Blueprint) -> None:
    """Add them to the blueprint of the API."""
    wrapped = api.arguments(RevenueArguments, location="query", unknown="raise")(revenue)
    wrapped = api.response(200, RevenueSchema)(wrapped)
    for status in (401, 404, 422, 429, 503):
        wrapped = api.alt_response(status, "PROBLEM")(wrapped)
    api.route("/integrations/<slug>/revenue", methods=["GET"])(wrapped)
    table = api.arguments(RevenueArguments, location="query", unknown="raise")(export)
    table = api.response(200, {"type": "string"}, content_type="text/csv")(table)
    for status in (401, 404, 422, 429, 503):
        table = api.alt_response(status, "PROBLEM")(table)
    api.route("/integrations/<slug>/revenue.csv", methods=["GET"])(table)


def revenue(given: Json, slug: str) -> Json:
    """MRR at the end of a window, how it moved in it, and who stayed."""
    found = queries.revenue(reading(), scope(), slug, window(given), given.get("currency"))
    return rendered(found)


def export(given: Json, slug: str) -> Response:
    """The movements of each day of a window as CSV, in minor units."""
    found = queries.revenue_by_day(reading(), scope(), slug, window(given), given.get("currency"))
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\r\n")
    table.writerow(("day (UTC)", "currency", *MOVES))
    for each in found.points:
        amounts = (str(getattr(each.moved, name)) for name in MOVES)
        table.writerow((_date(each.first_day), found.currency, *amounts))
    headers = {"Content-Disposition": f'attachment; filename="{slug}-revenue.csv"'}
    return Response(text.getvalue(), mimetype="text/csv", headers=headers)


def window(given: Json) -> Window:
    """The window asked for; the last 30 days when none was."""
    if "window" in given or "start" in given:
        return window_of(given, now_us())
    return window_ending(now_us(), USUAL_US)


def rendered(view: RevenueView) -> Json:
    """The answer."""
    mrr = view.mrr_minor
    moved, paid, kept = view.movements, view.payments, view.retention
    ends = {
        "from": rendering.moment(view.window.start_us), "to": rendering.moment(view.window.end_us)
    }  # fmt: skip
    return {
        "integration": view.integration,
        "window": rendering.span(view.window),
        "currency": view.currency,
        "mrr": {"amount_minor": mrr, "currency": view.currency},
        "arr": {"amount_minor": 12 * mrr, "currency": view.currency},
        "movements": {name: getattr(moved, name) for name in MOVES},
        "customers": view.customers,
        "arpa_minor": view.arpa_minor,
        "grr": _terms(kept.grr),
        "nrr": _terms(kept.nrr),
        "logo_churn": _terms(kept.logo_churn),
        "revenue_churn": _terms(kept.revenue_churn),
        "trial_conversion": _terms(view.trial_conversion),
        "ltv_minor": view.ltv_minor,
        "at_risk_minor": view.at_risk_minor,
        "at_risk": risk_body(view.risk),
        "payments": {
            "paid_minor": paid.paid_minor, "refunded_minor": paid.refunded_minor,
            "failed_minor": paid.failed_minor, "failed": paid.failed,
            "usage_minor": paid.usage_minor, "platform_share_minor": paid.share_minor,
            "net_payout_minor": paid.net_minor,
        },
        "currencies": [_currency(each) for each in view.currencies],
        "unmatched_subscriptions": view.unmatched,
        "links": {
            "self": rendering.href("integrations", view.integration, "revenue", **ends),
            "integration": rendering.href("integrations", view.integration),
            "by_day": rendering.href("integrations", view.integration, "revenue.csv", **ends),
            "page": f"/integrations/{view.integration}/revenue",
        },
    }  # fmt: skip


def risk_body(view: RiskView | None) -> Json | None:
    """What is at risk, beside its amount."""
    if view is None:
        return None
    return {
        "installations": view.installations,
        "by_fault": dict(view.by_fault),
        "unsure": view.unsure,
        "unsure_minor": view.unsure_minor,
        "unconverted": list(view.unconverted),
    }


def _terms(ratio: Ratio | None) -> Json | None:
    if ratio is None:
        return None
    return {
        "value": ratio.value,
        "numerator": ratio.numerator,
        "denominator": ratio.denominator,
    }


def _currency(view: CurrencyView) -> Json:
    return {
        "currency": view.currency,
        "mrr_minor": view.mrr_minor,
        "converted_minor": view.into_minor,
        "rate": None if view.rate is None else f"{float(view.rate):.10g}",
        "rate_date": None if view.rate_day is None else _date(view.rate_day),
    }


def _date(day: int) -> str:
    return (_EPOCH + timedelta(days=day)).date().isoformat()

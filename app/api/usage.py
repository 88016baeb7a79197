"""Who uses an integration, how much, and by which operations."""

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
from app.domain.usage import DAY, MONTH, WEEK
from app.domain.window import DAY_US, SECOND_US, Window, window_ending
from app.queries import UsageView
from app.queries.quota import QuotaView
from app.queries.usage import Terms
from app.queries.usage_operations import CallersView

Json = dict[str, Any]
#: The window of a question that names none.
USUAL_US = 28 * DAY_US


class UsageArguments(Span):
    """`usage?window|from&to`; the last 28 days unless a window is named."""


def _whole(description: str) -> fields.Integer:
    return fields.Integer(required=True, metadata={"description": description})


def _seconds(description: str) -> fields.Float:
    return fields.Float(required=True, metadata={"description": description})


def _moment() -> fields.String:
    return fields.String(required=True, metadata={"format": "date-time"})


class ActiveSchema(ma.Schema):
    """Installations active within a span that ends with the window."""

    day = _whole("Within its last day")
    week = _whole("Within its last 7 days")
    month = _whole("Within its last 28 days")


class GrowthSchema(ma.Schema):
    """active = new + kept + returning; before = kept + lapsed."""

    active = _whole("Active in the window")
    before = _whole("Active in the equal time before")
    new = _whole("Active now, and never since known_from")
    kept = _whole("Active now and before")
    returning = _whole("Active now, not before, but earlier")
    lapsed = _whole("Active before and not now")


class ConcentrationSchema(ma.Schema):
    """What the customers with the most exchanges have of all exchanges that name somebody."""

    top_1 = both_terms()
    top_5 = both_terms()
    top_10 = both_terms()


class DayUseSchema(ma.Schema):
    """One UTC day."""

    start = _moment()
    active = _whole("Installations active on it")
    active_week = _whole("Active within the 7 days up to its end")
    active_month = _whole("Active within the 28 days up to its end")
    new = _whole("Seen for the first time since known_from")
    exchanges = _whole("Exchanges that name an installation")
    good = _whole("Good ones among them")
    bad = _whole("Bad ones among them")


class CustomerUseSchema(ma.Schema):
    """One customer; `named` false: an installation whose customer nobody told."""

    customer = fields.String(required=True)
    named = fields.Boolean(required=True)
    installations = _whole("Its active installations")
    exchanges = _whole("In the window")
    before = _whole("In the equal time before")
    good = _whole("Good ones of the window")
    bad = _whole("Bad ones of the window")


class OperationUseSchema(ma.Schema):
    """One operation in one direction."""

    operation = fields.String(required=True)
    direction = fields.String(required=True)
    kind = fields.String(required=True)
    topic = fields.String(required=True, allow_none=True)
    version = fields.String(required=True, allow_none=True)
    deprecated = fields.Boolean(required=True)
    exchanges = _whole("In the window")
    before = _whole("In the equal time before")
    change = fields.String(
        required=True, allow_none=True, metadata={"description": "adopted, stopped or null"}
    )


class VersionUseSchema(ma.Schema):
    """Requests by the version in their paths; null: none in the path."""

    direction = fields.String(required=True)
    version = fields.String(required=True, allow_none=True)
    exchanges = _whole("In the window")
    before = _whole("In the equal time before")


class CallerSchema(ma.Schema):
    """One installation; null: none was named."""

    installation = fields.String(required=True, allow_none=True)
    customer = fields.String(required=True, allow_none=True)
    exchanges = _whole("Of those looked at")
    newest_at = _moment()


class CallersSchema(ma.Schema):
    """Who made the newest exchanges of a deprecated operation that are kept."""

    operation = fields.String(required=True)
    direction = fields.String(required=True)
    exchanges = _whole("In the window")
    looked_at = _whole("How many of the newest were looked at")
    callers = fields.List(fields.Nested(CallerSchema), required=True)


class WeekCohortSchema(ma.Schema):
    """Installations first active in one week (from Monday, UTC)."""

    week = _moment()
    size = _whole("How many")
    active = fields.List(
        fields.Integer(),
        required=True,
        metadata={"description": "Active in that week and in each one after it"},
    )


class WayQuotaSchema(ma.Schema):
    """One direction; the limit holds for each."""

    direction = fields.String(required=True)
    busiest = _whole("Exchanges in the busiest step")
    step_seconds = _whole("Length of a step")
    per_second = fields.Float(required=True)
    used_ratio = fields.Float(required=True, allow_none=True)
    refused = _whole("Refused by the proxy")


class QuotaSchema(ma.Schema):
    """The last day of the window against the limit of the registry; null: no limit."""

    requests_per_second = fields.Float(required=True, allow_none=True)
    window = fields.Nested(WindowSchema, required=True)
    ways = fields.List(fields.Nested(WayQuotaSchema), required=True)


class UsageSchema(ma.Schema):
    """One integration over one window of whole UTC days."""

    integration = fields.String(required=True)
    window = fields.Nested(WindowSchema, required=True)
    known_from = _moment()
    sentence = fields.String(required=True)
    active = fields.Nested(ActiveSchema, required=True)
    stickiness = both_terms()
    installations = fields.Nested(GrowthSchema, required=True)
    customers_active = _whole("Customers with an active installation")
    exchanges = _whole("Recorded exchanges of the window")
    exchanges_before = _whole("Of the equal time before")
    unnamed = _whole("Those of the window that name no installation")
    waited_seconds = _seconds("The platform waited for the partner, within the window")
    waited_seconds_before = _seconds("The same of the equal time before")
    concentration = fields.Nested(ConcentrationSchema, required=True)
    days = fields.List(fields.Nested(DayUseSchema), required=True)
    customers = fields.List(fields.Nested(CustomerUseSchema), required=True)
    operations = fields.List(fields.Nested(OperationUseSchema), required=True)
    versions = fields.List(fields.Nested(VersionUseSchema), required=True)
    deprecated = fields.List(fields.Nested(CallersSchema), required=True)
    cohorts = fields.List(fields.Nested(WeekCohortSchema), required=True)
    quota = fields.Nested(QuotaSchema, required=True)
    links = fields.Dict(keys=fields.String(), required=True)


def add_routes(api: Blueprint) -> None:
    """Add them to the blueprint of the API."""
    wrapped = api.arguments(UsageArguments, location="query", unknown="raise")(usage)
    wrapped = api.response(200, UsageSchema)(wrapped)
    api.route("/integrations/<slug>/usage", methods=["GET"])(_with_problems(api, wrapped))
    wrapped = api.arguments(UsageArguments, location="query", unknown="raise")(export)
    wrapped = api.response(200, {"type": "string"}, content_type="text/csv")(wrapped)
    api.route("/integrations/<slug>/usage.csv", methods=["GET"])(_with_problems(api, wrapped))


def _with_problems(api: Blueprint, view: Any) -> Any:
    for status in (401, 404, 422, 429, 503):
        view = api.alt_response(status, "PROBLEM")(view)
    return view


def usage(given: Json, slug: str) -> Json:
    """Who uses it, how much, and by which operations."""
    return rendered(queries.usage(reading(), scope(), slug, window(given)))


def export(given: Json, slug: str) -> Response:
    """Every installation that was active in the window, most exchanges first, as CSV."""
    lines = queries.export_usage(reading(), scope(), slug, window(given))
    headers = {"Content-Disposition": 'attachment; filename="midspan-usage.csv"'}
    return Response(lines, mimetype="text/csv", headers=headers)


def window(given: Json) -> Window:
    """The window asked for; the last 28 days when none was."""
    if "window" in given or "start" in given:
        return window_of(given, now_us())
    return window_ending(now_us(), USUAL_US)


def rendered(view: UsageView) -> Json:
    """The answer."""
    ends = {
        "from": rendering.moment(view.window.start_us), "to": rendering.moment(view.window.end_us)
    }  # fmt: skip
    whole = ("new", "kept", "returning", "lapsed", "active", "before")
    return {
        "integration": view.integration,
        "window": rendering.span(view.window),
        "known_from": rendering.moment(view.known_from_us),
        "sentence": view.sentence,
        "active": {
            "day": view.active[DAY], "week": view.active[WEEK], "month": view.active[MONTH]
        },
        "stickiness": _rendered_terms(view.stickiness),
        "installations": {name: getattr(view.growth, name) for name in whole},
        "customers_active": view.customers_active,
        "exchanges": view.exchanges,
        "exchanges_before": view.exchanges_before,
        "unnamed": view.unnamed,
        "waited_seconds": view.waited_us / SECOND_US,
        "waited_seconds_before": view.waited_before_us / SECOND_US,
        "concentration": {
            f"top_{top}": _rendered_terms(terms) for top, terms in view.concentration.items()
        },
        "days": [_with_start(each) for each in view.days],
        "customers": [_plain(each) for each in view.customers],
        "operations": [_plain(each) for each in view.operations],
        "versions": [{**_plain(each), "version": each.version or None} for each in view.versions],
        "deprecated": [_callers(each) for each in view.deprecated],
        "cohorts": [
            {
                "week": rendering.moment(each.day * DAY_US), "size": each.size,
                "active": list(each.active),
            }
            for each in view.cohorts
        ],
        "quota": _quota(view.quota),
        "links": {
            "self": rendering.href("integrations", view.integration, "usage", **ends),
            "csv": rendering.href("integrations", view.integration, "usage.csv", **ends),
            "integration": rendering.href("integrations", view.integration),
            "page": f"/integrations/{view.integration}/usage",
        },
    }  # fmt: skip


def _plain(view: Any) -> Json:
    return {name: getattr(view, name) for name in view.__slots__}


def _with_start(view: Any) -> Json:
    body = _plain(view)
    return {"start": rendering.moment(body.pop("start_us")), **body}


def _rendered_terms(terms: Terms) -> Json | None:
    if terms.value is None:
        return None
    return {"value": terms.value, **terms._asdict()}


def _callers(view: CallersView) -> Json:
    callers = [
        {
            "installation": each.installation, "customer": each.customer,
            "exchanges": each.exchanges, "newest_at": rendering.moment(each.newest_us),
        }
        for each in view.callers
    ]  # fmt: skip
    return {**_plain(view), "callers": callers}


def _quota(view: QuotaView) -> Json:
    ways = [
        {
            "direction": way.direction, "busiest": way.busiest,
            "step_seconds": way.step_us // 1_000_000, "per_second": round(way.per_second, 3),
            "used_ratio": view.used(way), "refused": way.refused,
        }
        for way in view.ways
    ]  # fmt: skip
    return {
        "requests_per_second": view.requests_per_second,
        "window": rendering.span(view.window),
        "ways": ways,
    }

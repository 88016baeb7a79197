"""The routes below `/api/v1`: each asks one question and renders its answer."""

from functools import cache
from typing import Any

from flask import Response
from flask_smorest import Blueprint

from app import queries
from app.api import (
    alerts,
    at_risk,
    billing,
    churn,
    error_groups,
    installation_tables,
    installations,
    levers,
    lifecycle,
    notes,
    partner_lists,
    partner_rules,
    rendering,
    revenue,
    stripe,
    usage,
)
from app.api.arguments import (
    Arguments,
    ExchangesArguments,
    ExportArguments,
    HealthArguments,
    PageArguments,
    SeriesArguments,
    filter_of,
    step_of,
    window_of,
)
from app.api.context import now_us, reading, scope
from app.api.paging import page
from app.api.schemas import (
    ExchangeSchema,
    ExchangesSchema,
    HealthSchema,
    IntegrationSchema,
    IntegrationsSchema,
    PartnerSchema,
    PartnersSchema,
    SeriesSchema,
)

Given = dict[str, Any]
Json = dict[str, Any]


@cache
def blueprint() -> Blueprint:
    """All of them, with their arguments and answers declared; the same for every app."""
    api = Blueprint("api", __name__, url_prefix="/api/v1", description="What Midspan knows")

    def route(path: str, view: Any, arguments: Any, answer: Any, *problems: int) -> None:
        wrapped = api.arguments(arguments, location="query", unknown="raise")(view)
        wrapped = api.response(200, answer)(wrapped)
        for status in (401, *problems, 422, 429, 503):
            wrapped = api.alt_response(status, "PROBLEM")(wrapped)
        api.route(path, methods=["GET"])(wrapped)

    route("/partners", partners, PageArguments, PartnersSchema)
    route("/partners/<slug>", partner, Arguments, PartnerSchema, 404)
    route("/integrations", integrations, PageArguments, IntegrationsSchema)
    route("/integrations/<slug>", integration, Arguments, IntegrationSchema, 404)
    route("/integrations/<slug>/health", health, HealthArguments, HealthSchema, 404)
    route("/integrations/<slug>/series", series, SeriesArguments, SeriesSchema, 404)
    error_groups.add_routes(api)
    route("/exchanges", exchanges, ExchangesArguments, ExchangesSchema, 404)
    _add_export(api)
    route("/exchanges/<exchange_id>", exchange, Arguments, ExchangeSchema, 404)
    notes.add_routes(api)
    lifecycle.add_routes(api)
    installations.add_routes(api)
    installation_tables.add_routes(api)
    partner_lists.add_routes(api)
    partner_rules.add_routes(api)
    billing.add_routes(api)
    revenue.add_routes(api)
    usage.add_routes(api)
    stripe.add_routes(api)
    churn.add_routes(api)
    at_risk.add_routes(api)
    levers.add_routes(api)
    alerts.add_routes(api)
    return api


def _add_export(api: Blueprint) -> None:
    wrapped = api.arguments(ExportArguments, location="query", unknown="raise")(export)
    wrapped = api.response(200, {"type": "string"}, content_type="text/csv")(wrapped)
    for status in (401, 404, 422, 429, 503):
        wrapped = api.alt_response(status, "PROBLEM")(wrapped)
    api.route("/exchanges.csv", methods=["GET"])(wrapped)


def partners(given: Given) -> Json:
    """The partners within the caller's reach, by slug."""
    found = queries.list_partners(reading(), scope())
    items, following = page(found, given.get("cursor"), given["limit"])
    return {"items": [rendering.partner(each) for each in items], "next": following}


def partner(_given: Given, slug: str) -> Json:
    """One partner."""
    return rendering.partner(queries.get_partner(reading(), scope(), slug))


def integrations(given: Given) -> Json:
    """The integrations within the caller's reach, by slug."""
    found = queries.list_integrations(reading(), scope())
    items, following = page(found, given.get("cursor"), given["limit"])
    return {"items": [rendering.integration(each) for each in items], "next": following}


def integration(_given: Given, slug: str) -> Json:
    """One integration."""
    return rendering.integration(queries.get_integration(reading(), scope(), slug))


def health(given: Given, slug: str) -> Json:
    """How one integration is doing; the last hour unless another window is named."""
    window = window_of(given, now_us())
    return rendering.health(slug, queries.health(reading(), scope(), slug, window))


def series(given: Given, slug: str) -> Json:
    """Its numbers over time, every step of the window."""
    window = window_of(given, now_us())
    found = queries.series(reading(), scope(), slug, window, step_of(given, window))
    return rendering.series(slug, found, given.get("metric"))


def exchanges(given: Given) -> Json:
    """The request log, newest first."""
    question = filter_of(given, now_us())
    found = queries.list_exchanges(
        reading(), scope(), question, given.get("cursor"), given["limit"]
    )
    return {"items": [rendering.exchange(each) for each in found.items], "next": found.next}


def export(given: Given) -> Response:
    """The request log as CSV, newest first, at most 100,000 lines; the last says if it is cut."""
    lines = queries.export(reading(), scope(), filter_of(given, now_us()))
    name = given.get("integration", "midspan").replace('"', "")
    headers = {"Content-Disposition": f'attachment; filename="{name}-exchanges.csv"'}
    return Response(lines, mimetype="text/csv", headers=headers)


def exchange(_given: Given, exchange_id: str) -> Json:
    """One exchange with its evidence."""
    return rendering.exchange(queries.get_exchange(reading(), scope(), exchange_id))

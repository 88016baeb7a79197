"""What a partner can work on, and how it compares with others of its category."""

from typing import Any

import marshmallow as ma
from flask_smorest import Blueprint
from marshmallow import fields

from app import queries
from app.api import rendering
from app.api.arguments import Span
from app.api.context import reading, scope
from app.api.revenue import window
from app.api.schemas import WindowSchema
from app.domain.benchmark import FIGURES, LEAST_OTHERS
from app.queries.benchmark import BenchmarkView, Compared
from app.queries.levers import TimeTo

Json = dict[str, Any]


class LeversArguments(Span):
    """`levers?window|from&to`; the last 30 days unless a window is named."""


def _whole(description: str) -> fields.Integer:
    return fields.Integer(required=True, metadata={"description": description})


class ConversionSchema(ma.Schema):
    """Installations that came within the window, of one source or plan; null: not told."""

    by = fields.String(required=True, validate=ma.validate.OneOf(("source", "plan")))
    name = fields.String(required=True, allow_none=True)
    entered = _whole("Whose first step lies in the window")
    activated = _whole("Of them, those that reached the goal of the funnel")
    paid = _whole("Of them, those that were ever paid for")


class TimeToSchema(ma.Schema):
    """How long it took from the first step; null: nobody got there."""

    installations = _whole("That got there")
    median_seconds = fields.Integer(required=True, allow_none=True)
    p90_seconds = fields.Integer(required=True, allow_none=True)


class StallSchema(ma.Schema):
    """Installations that are paid for now and wait for a step; "": for none of the funnel's."""

    step = fields.String(required=True)
    installations = _whole("How many")


class QuartilesSchema(ma.Schema):
    """Of the others, rounded to two significant digits."""

    lower = fields.Float(required=True)
    median = fields.Float(required=True)
    upper = fields.Float(required=True)


class ComparedSchema(ma.Schema):
    """One figure; `own` null: too little to say, `others` null: not enough others."""

    figure = fields.String(required=True, validate=ma.validate.OneOf(FIGURES))
    own = fields.Float(required=True, allow_none=True)
    others = fields.Nested(QuartilesSchema, required=True, allow_none=True)


class BenchmarkSchema(ma.Schema):
    """The last whole month against other partners' integrations of the category."""

    category = fields.String(required=True, allow_none=True)
    window = fields.Nested(WindowSchema, required=True)
    least_others = _whole("Other integrations and partners below which nothing is told")
    figures = fields.List(fields.Nested(ComparedSchema), required=True)


class LeversSchema(ma.Schema):
    """One integration over one window of whole UTC days."""

    integration = fields.String(required=True)
    window = fields.Nested(WindowSchema, required=True)
    conversion = fields.List(fields.Nested(ConversionSchema), required=True)
    to_activation = fields.Nested(TimeToSchema, required=True)
    to_payment = fields.Nested(TimeToSchema, required=True)
    stalled = fields.List(fields.Nested(StallSchema), required=True)
    benchmark = fields.Nested(BenchmarkSchema, required=True)
    links = fields.Dict(keys=fields.String(), required=True)


def add_routes(api: Blueprint) -> None:
    """Add them to the blueprint of the API."""
    wrapped = api.arguments(LeversArguments, location="query", unknown="raise")(levers)
    wrapped = api.response(200, LeversSchema)(wrapped)
    for status in (401, 404, 422, 429, 503):
        wrapped = api.alt_response(status, "PROBLEM")(wrapped)
    api.route("/integrations/<slug>/levers", methods=["GET"])(wrapped)


def levers(given: Json, slug: str) -> Json:
    """Conversion by source and plan, time to value, stalls, and the category."""
    view = queries.levers(reading(), scope(), slug, window(given))
    ends = {
        "from": rendering.moment(view.window.start_us), "to": rendering.moment(view.window.end_us)
    }  # fmt: skip
    return {
        "integration": view.integration,
        "window": rendering.span(view.window),
        "conversion": [
            {
                "by": each.by, "name": each.name, "entered": each.entered,
                "activated": each.activated, "paid": each.paid,
            }
            for each in view.conversion
        ],
        "to_activation": _time_to(view.to_activation),
        "to_payment": _time_to(view.to_payment),
        "stalled": [
            {"step": each.step, "installations": each.installations} for each in view.stalled
        ],
        "benchmark": _benchmark(view.benchmark),
        "links": {
            "self": rendering.href("integrations", view.integration, "levers", **ends),
            "integration": rendering.href("integrations", view.integration),
            "page": f"/integrations/{view.integration}/revenue",
        },
    }  # fmt: skip


def _time_to(view: TimeTo) -> Json:
    return {
        "installations": view.installations,
        "median_seconds": view.median_seconds,
        "p90_seconds": view.p90_seconds,
    }


def _benchmark(view: BenchmarkView) -> Json:
    return {
        "category": view.category,
        "window": rendering.span(view.window),
        "least_others": LEAST_OTHERS,
        "figures": [_compared(each) for each in view.figures],
    }


def _compared(view: Compared) -> Json:
    others = view.others
    return {
        "figure": view.figure,
        "own": view.own,
        "others": None if others is None else {
            "lower": others.lower, "median": others.median, "upper": others.upper
        },
    }  # fmt: skip

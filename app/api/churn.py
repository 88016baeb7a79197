"""Do failures and leaving go together?"""

from typing import Any

import marshmallow as ma
from flask_smorest import Blueprint
from marshmallow import fields

from app import queries
from app.api import rendering
from app.api.arguments import Arguments
from app.api.context import reading, scope
from app.api.schemas import WindowSchema
from app.domain.exposure import PERIOD_DAYS

Json = dict[str, Any]


class GroupSchema(ma.Schema):
    """One group: members, who of them left, and the rate; null: not enough data."""

    installations = fields.Integer(required=True)
    left = fields.Integer(required=True)
    ratio = fields.Float(required=True, allow_none=True)


class ChurnSchema(ma.Schema):
    """Installations that met more failures than allowed against others of the same plan, age and
    usage; `ratio` and its 95 % interval are null where nothing can be said."""

    integration = fields.String(required=True)
    window = fields.Nested(WindowSchema, required=True)
    period_days = fields.Integer(required=True)
    sentence = fields.String(required=True)
    enough = fields.Boolean(required=True)
    exposed = fields.Nested(GroupSchema, required=True)
    others = fields.Nested(GroupSchema, required=True)
    unmatched = fields.Integer(required=True)
    strata = fields.Integer(required=True)
    churn_ratio = fields.Float(required=True, allow_none=True)
    churn_interval = fields.List(fields.Float(), required=True, allow_none=True)
    links = fields.Dict(keys=fields.String(), required=True)


def add_routes(api: Blueprint) -> None:
    """Add them to the blueprint of the API."""
    wrapped = api.arguments(Arguments, location="query", unknown="raise")(churn)
    wrapped = api.response(200, ChurnSchema)(wrapped)
    for status in (401, 404, 422, 429, 503):
        wrapped = api.alt_response(status, "PROBLEM")(wrapped)
    api.route("/integrations/<slug>/churn", methods=["GET"])(wrapped)


def churn(_given: Json, slug: str) -> Json:
    """Who left after meeting failures, against others like them."""
    view = queries.churn(reading(), scope(), slug)
    found = view.found
    return {
        "integration": view.integration,
        "window": rendering.span(view.window),
        "period_days": PERIOD_DAYS,
        "sentence": view.sentence,
        "enough": found.enough,
        "exposed": _group(found.exposed, found.exposed_left, found.exposed_ratio),
        "others": _group(found.others, found.others_left, found.others_ratio),
        "unmatched": found.unmatched,
        "strata": found.strata,
        "churn_ratio": found.ratio,
        "churn_interval": list(found.interval) if found.interval else None,
        "links": {
            "self": rendering.href("integrations", view.integration, "churn"),
            "integration": rendering.href("integrations", view.integration),
            "page": f"/integrations/{view.integration}/usage",
        },
    }


def _group(installations: int, left: int, ratio: float | None) -> Json:
    return {"installations": installations, "left": left, "ratio": ratio}

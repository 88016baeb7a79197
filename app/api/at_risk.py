"""What failures put at risk: of an integration, of one error group, of one incident."""

from typing import Any

import marshmallow as ma
from flask_smorest import Blueprint
from marshmallow import ValidationError, fields

from app import queries
from app.api import rendering
from app.api.context import reading, scope
from app.api.revenue import RevenueArguments, RiskSchema, minor, risk_body, window
from app.api.schemas import WindowSchema
from app.queries import RiskOf

Json = dict[str, Any]
_MOST_NUMBER = 2**31 - 1


class AtRiskArguments(RevenueArguments):
    """`at-risk?window|from&to&currency&group|incident`; an incident has its own time."""

    group = fields.String(
        validate=ma.validate.Length(max=100),
        metadata={"description": "Only installations that met failures of this error group"},
    )
    incident = fields.Integer(
        validate=ma.validate.Range(min=1, max=_MOST_NUMBER),
        metadata={"description": "Over the days on which this incident was on"},
    )

    @ma.validates_schema
    def one_of_them(self, data: Json, **_more: object) -> None:
        """An incident names the time itself, and no group."""
        others = data.keys() & {"group", "window", "start", "end"}
        if "incident" in data and others:
            raise ValidationError("goes without a window and a group", "incident")


class AtRiskSchema(ma.Schema):
    """MRR, as of now, of the installations that met more failures than allowed."""

    integration = fields.String(required=True)
    window = fields.Nested(WindowSchema, required=True)
    currency = fields.String(required=True, allow_none=True)
    at_risk_minor = minor("Null: nobody pays", nullable=True)
    at_risk = fields.Nested(RiskSchema, required=True, allow_none=True)
    looked_at = fields.Integer(
        required=True,
        allow_none=True,
        metadata={"description": "Exchanges of the group that are kept and were looked at"},
    )
    links = fields.Dict(keys=fields.String(), required=True)


def add_routes(api: Blueprint) -> None:
    """Add them to the blueprint of the API."""
    wrapped = api.arguments(AtRiskArguments, location="query", unknown="raise")(at_risk)
    wrapped = api.response(200, AtRiskSchema)(wrapped)
    for status in (401, 404, 422, 429, 503):
        wrapped = api.alt_response(status, "PROBLEM")(wrapped)
    api.route("/integrations/<slug>/at-risk", methods=["GET"])(wrapped)


def at_risk(given: Json, slug: str) -> Json:
    """What failures put at risk."""
    found = _found(given, slug)
    risk = found.risk
    return {
        "integration": slug,
        "window": rendering.span(found.window),
        "currency": risk.currency if risk else None,
        "at_risk_minor": risk.at_risk_minor if risk else None,
        "at_risk": risk_body(risk),
        "looked_at": found.looked_at,
        "links": {
            "integration": rendering.href("integrations", slug),
            "page": f"/integrations/{slug}/revenue",
        },
    }


def _found(given: Json, slug: str) -> RiskOf:
    where, currency = (reading(), scope(), slug), given.get("currency")
    if "incident" in given:
        return queries.at_risk_of_incident(*where, given["incident"], currency)
    if "group" in given:
        return queries.at_risk_of_group(*where, given["group"], window(given), currency=currency)
    asked = window(given)
    return RiskOf(asked, queries.at_risk(*where, asked, currency))

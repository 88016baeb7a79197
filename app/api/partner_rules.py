"""Rules that a partner writes for its own integrations: reading, writing and taking them away."""

from typing import Any

import marshmallow as ma
from flask_smorest import Blueprint
from marshmallow import fields

from app.api import rendering
from app.api.arguments import Arguments
from app.api.context import actor, now_us, reading, scope
from app.commands.partner_rules import (
    MOST_ADDRESSES,
    OwnRule,
    partner_rules,
    partner_text,
    remove_partner_rule,
    save_partner_rule,
)
from app.commands.rules import rule_given
from app.db import transaction
from app.errors import BadQuery, Refused

Json = dict[str, Any]
_PATH = "/partners/<slug>/rules"


class PartnerRuleArguments(ma.Schema):
    """One rule with the keys of a rule file, and the mail addresses that it tells."""

    class Meta:
        """Which keys a rule has is told with what is wrong."""

        unknown = ma.INCLUDE

    name = fields.String(required=True)
    kind = fields.String(required=True)
    to = fields.List(fields.String(), required=True, validate=ma.validate.Length(1, MOST_ADDRESSES))


class PartnerRuleSchema(ma.Schema):
    """One rule; `text` is all of it as a rule file has it."""

    name = fields.String(required=True)
    kind = fields.String(required=True)
    severity = fields.String(required=True)
    by = fields.String(required=True)
    to = fields.List(fields.String(), required=True)
    text = fields.String(required=True)
    updated_at = fields.String(required=True, metadata={"format": "date-time"})


class PartnerRulesSchema(ma.Schema):
    """The rules of one partner, by name."""

    items = fields.List(fields.Nested(PartnerRuleSchema), required=True)
    next = fields.String(required=True, allow_none=True)


def add_routes(api: Blueprint) -> None:
    """Add them to the blueprint of the API."""
    listed = api.arguments(Arguments, location="query", unknown="raise")(rules)
    listed = api.response(200, PartnerRulesSchema)(listed)
    written = api.arguments(PartnerRuleArguments, location="json", unknown=None)(write)
    written = api.response(201, PartnerRuleSchema)(written)
    removed = api.arguments(Arguments, location="query", unknown="raise")(remove)
    removed = api.response(204)(removed)
    for status in (401, 404, 422, 429, 503):
        listed = api.alt_response(status, "PROBLEM")(listed)
        written = api.alt_response(status, "PROBLEM")(written)
        removed = api.alt_response(status, "PROBLEM")(removed)
    api.route(_PATH, methods=["GET"])(listed)
    api.route(_PATH, methods=["POST"])(written)
    api.route(f"{_PATH}/<name>", methods=["DELETE"])(removed)


def rules(_given: Json, slug: str) -> Json:
    """The rules that a partner wrote for its own integrations."""
    found = partner_rules(reading().engine, scope(), slug)
    return {"items": [_rendered(each) for each in found], "next": None}


def write(given: Json, slug: str) -> Json:
    """Save a rule of a partner, in place of one of its name."""
    to = tuple(given.pop("to"))
    try:
        rule = rule_given(given)
        with transaction(reading().engine) as session:
            made = save_partner_rule(
                session, scope(), partner=slug, rule=rule, to=to, now_us=now_us(), actor=actor()
            )
    except Refused as error:
        raise BadQuery("rule", str(error)) from error
    return _rendered(made)


def remove(_given: Json, slug: str, name: str) -> None:
    """Take a rule away; what it told of is over."""
    with transaction(reading().engine) as session:
        remove_partner_rule(
            session, scope(), partner=slug, name=name, now_us=now_us(), actor=actor()
        )


def _rendered(own: OwnRule) -> Json:
    return {
        "name": own.rule.name,
        "kind": own.rule.kind,
        "severity": own.rule.severity.value,
        "by": own.rule.by.value,
        "to": list(own.to),
        "text": partner_text(own),
        "updated_at": rendering.moment(own.updated_us),
    }

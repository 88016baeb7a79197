"""Installations: where each stands, its story, what is stuck, and where witnesses disagree."""

from dataclasses import asdict
from typing import Any

import marshmallow as ma
from flask_smorest import Blueprint
from marshmallow import fields

from app import queries
from app.api import rendering
from app.api.arguments import Arguments, plain_text
from app.api.context import reading, scope
from app.domain.funnel import InstallationState
from app.domain.reconcile import Discrepancy
from app.queries.installations import MAX_LIMIT, FindingView, InstallationView
from app.queries.stories import Moment

Json = dict[str, Any]
_AT = {"format": "date-time"}


class InstallationsArguments(Arguments):
    """`?integration&state&customer&stuck&cursor&limit`."""

    integration = plain_text(63)
    state = fields.Enum(InstallationState, by_value=True)
    customer = plain_text(200)
    cursor = ma.fields.String(validate=ma.validate.Length(1, 100))
    limit = ma.fields.Integer(load_default=100, validate=ma.validate.Range(1, MAX_LIMIT))


class StuckArguments(Arguments):
    """`stuck?limit`."""

    limit = ma.fields.Integer(load_default=100, validate=ma.validate.Range(1, MAX_LIMIT))


class FindingsArguments(Arguments):
    """`reconciliation?kind&state&limit`."""

    kind = fields.Enum(Discrepancy, by_value=True)
    over = fields.Boolean(
        load_default=False, metadata={"description": "What is over, instead of what lasts"}
    )
    limit = ma.fields.Integer(load_default=100, validate=ma.validate.Range(1, MAX_LIMIT))


def _time() -> fields.String:
    return fields.String(required=True, allow_none=True, metadata=_AT)


class FailureSchema(ma.Schema):
    """The exchange at which an install failed. `ended`: its status, or its outcome."""

    exchange = fields.String(required=True)
    at = _time()
    what = fields.String(required=True)
    webhook = fields.Boolean(required=True)
    ended = fields.String(required=True)
    fault = fields.String(required=True)


class InstallationSchema(ma.Schema):
    """One customer's use of one integration. `id` is the integration's slug, a colon and the
    platform's own name for it."""

    id = fields.String(required=True)
    integration = fields.String(required=True)
    installation = fields.String(required=True)
    customer = fields.String(required=True, allow_none=True)
    state = fields.String(required=True)
    plan = fields.String(required=True, allow_none=True)
    source = fields.String(required=True, allow_none=True)
    reason = fields.String(required=True, allow_none=True)
    entered_at = _time()
    activated_at = _time()
    uninstalled_at = _time()
    next_step = fields.String(required=True, allow_none=True)
    due_at = _time()
    lost_cause = fields.String(required=True, allow_none=True)
    failure = fields.Nested(FailureSchema, required=True, allow_none=True)
    last_event_at = _time()
    advice = fields.String(required=True)
    links = fields.Dict(keys=fields.String(), required=True)


class MomentSchema(ma.Schema):
    """Something that happened. `sort`: lifecycle, webhook, call, request, billing or finding;
    `exchanges` many of one day where there is no `exchange`."""

    at = _time()
    sort = fields.String(required=True)
    what = fields.String(required=True)
    detail = fields.String(required=True)
    well = fields.Boolean(required=True)
    exchange = fields.String(required=True, allow_none=True)
    exchanges = fields.Integer(required=True)
    bad = fields.Integer(required=True)


class FindingSchema(ma.Schema):
    """Where platform, wire and billing disagree about one installation."""

    integration = fields.String(required=True)
    installation = fields.String(required=True)
    kind = fields.String(required=True)
    since = _time()
    opened_at = _time()
    seen_at = _time()
    closed_at = _time()
    evidence = fields.Dict(keys=fields.String(), required=True)
    links = fields.Dict(keys=fields.String(), required=True)


class StorySchema(InstallationSchema):
    """The same with all that happened, newest first; before `single_from`, exchanges are told by
    day."""

    story = fields.List(fields.Nested(MomentSchema), required=True)
    findings = fields.List(fields.Nested(FindingSchema), required=True)
    single_from = _time()


class InstallationsSchema(ma.Schema):
    """A page of them, newest first."""

    items = fields.List(fields.Nested(InstallationSchema), required=True)
    next = fields.String(required=True, allow_none=True)


class StuckSchema(InstallationsSchema):
    """Installs past a deadline, oldest first, and how many there are."""

    stuck = fields.Integer(required=True)


class FindingsSchema(ma.Schema):
    """What does not fit, the oldest first; `counts`: all that lasts, by kind."""

    items = fields.List(fields.Nested(FindingSchema), required=True)
    next = fields.String(required=True, allow_none=True)
    counts = fields.Dict(keys=fields.String(), values=fields.Integer(), required=True)
    compared_at = _time()
    installations = fields.Integer(required=True)


def add_routes(api: Blueprint) -> None:
    """Add them to the blueprint of the API."""
    _route(api, "/installations", listed, InstallationsSchema, InstallationsArguments)
    _route(api, "/installations/<path:installation_id>", told, StorySchema, Arguments)
    base = "/integrations/<slug>"
    _route(api, f"{base}/stuck-installs", stuck, StuckSchema, StuckArguments)
    _route(api, f"{base}/reconciliation", findings, FindingsSchema, FindingsArguments)


def _route(api: Blueprint, path: str, view: Any, answer: Any, arguments: Any) -> None:
    wrapped = api.arguments(arguments, location="query", unknown="raise")(view)
    wrapped = api.response(200, answer)(wrapped)
    for status in (401, 404, 422, 429, 503):
        wrapped = api.alt_response(status, "PROBLEM")(wrapped)
    api.route(path, methods=["GET"])(wrapped)


def listed(given: Json) -> Json:
    """Installations within the caller's reach, newest first."""
    found = queries.list_installations(reading(), scope(), **given)
    return {"items": [_installation(each) for each in found.items], "next": found.next}


def told(_given: Json, installation_id: str) -> Json:
    """One installation with its story: `slug:name`, or the name alone where it means one."""
    found = queries.story(reading(), scope(), installation_id)
    return {
        **_installation(found.view),
        "story": [_moment(each) for each in found.moments],
        "findings": [_finding(each) for each in found.findings],
        "single_from": rendering.moment(found.single_us),
    }


def stuck(given: Json, slug: str) -> Json:
    """Installs of one integration that are past a deadline, with what to do."""
    found, number = queries.stuck(reading(), scope(), slug, given["limit"])
    return {"items": [_installation(each) for each in found], "next": None, "stuck": number}


def findings(given: Json, slug: str) -> Json:
    """Where platform, wire and billing disagree about the installations of one integration."""
    found = queries.reconciliation(reading(), scope(), slug, **given)
    return {
        "items": [_finding(each) for each in found.items],
        "next": None,
        "counts": found.counts,
        "compared_at": None if found.compared_us is None else rendering.moment(found.compared_us),
        "installations": found.installations,
    }


def _installation(view: InstallationView) -> Json:
    body = asdict(view)
    for name in ("entered", "activated", "uninstalled", "due", "last_event"):
        at_us = body.pop(f"{name}_us")
        body[f"{name}_at"] = None if at_us is None else rendering.moment(at_us)
    if body["failure"] is not None:
        body["failure"]["at"] = rendering.moment(body["failure"].pop("started_us"))
    exchanges = {"integration": view.integration, "installation": view.installation}
    body["links"] = {
        "self": rendering.href("installations", view.id),
        "integration": rendering.href("integrations", view.integration),
        "exchanges": rendering.href("exchanges", **exchanges),
        "failed": rendering.href("exchanges", view.failure.exchange) if view.failure else None,
    }
    return body


def _moment(moment: Moment) -> Json:
    body = asdict(moment)
    body["at"] = rendering.moment(body.pop("at_us"))
    return body


def _finding(view: FindingView) -> Json:
    body = asdict(view)
    body["since"] = rendering.moment(body.pop("since_us"))
    for name in ("opened", "seen", "closed"):
        at_us = body.pop(f"{name}_us")
        body[f"{name}_at"] = None if at_us is None else rendering.moment(at_us)
    body["evidence"] = {
        f"{name.removesuffix('_us')}_at" if name.endswith("_us") else name: (
            rendering.moment(value) if name.endswith("_us") and isinstance(value, int) else value
        )
        for name, value in view.evidence.items()
    }
    body["links"] = {
        "installation": rendering.href("installations", f"{view.integration}:{view.installation}"),
        "integration": rendering.href("integrations", view.integration),
    }
    return body

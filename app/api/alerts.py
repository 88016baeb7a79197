"""Alerts for programs: incidents, taking one, silences, and the rules that stand."""

import json
from dataclasses import asdict
from typing import Any

from flask_smorest import Blueprint

from app.api import rendering
from app.api.alert_schemas import (
    AlertsArguments,
    AlertSchema,
    AlertsSchema,
    RuleArguments,
    RuleSchema,
    RulesSchema,
    SilenceArguments,
    SilenceSchema,
    SilencesSchema,
)
from app.api.arguments import Arguments
from app.api.context import actor, home, now_us, reading, scope
from app.commands.alerting import acknowledge, add_silence, end_silence
from app.commands.rules import save_rule, standing_rules
from app.db import transaction
from app.domain.default_rules import DEFAULT_RULES
from app.domain.rule import Rule
from app.errors import BadQuery, NotFound, Refused
from app.queries import alerts as queries
from app.queries.alerts import silence_view
from app.queries.results import IncidentView, SilenceView

Json = dict[str, Any]
#: Longer numbers than this are none of ours, and no database holds them.
_DIGITS = 18


def add_routes(api: Blueprint) -> None:
    """Add them to the blueprint of the API."""
    _route(api, "GET /alerts", alerts, AlertsSchema, AlertsArguments)
    _route(api, "GET /alerts/<number>", alert, AlertSchema)
    _route(api, "POST /alerts/<number>/acknowledgement", take, AlertSchema)
    _route(api, "GET /silences", silences, SilencesSchema)
    _route(api, "POST /silences", silence, SilenceSchema, SilenceArguments, status=201)
    _route(api, "DELETE /silences/<number>", unsilence, None, status=204)
    _route(api, "GET /rules", rules, RulesSchema)
    _route(api, "POST /rules", write_rule, RuleSchema, RuleArguments, status=201)


def _route(
    api: Blueprint,
    way: str,
    view: Any,
    answer: Any,
    arguments: Any = Arguments,
    *,
    status: int = 200,
) -> None:
    method, _, path = way.partition(" ")
    body = method == "POST" and arguments is not Arguments
    own_keys = None if arguments is RuleArguments else "raise"
    location = "json" if body else "query"
    wrapped = api.arguments(arguments, location=location, unknown=own_keys)(view)
    wrapped = api.response(status, answer)(wrapped)
    for problem in (401, 404, *((409,) if body else ()), 422, 429, 503):
        wrapped = api.alt_response(problem, "PROBLEM")(wrapped)
    api.route(path, methods=[method])(wrapped)


def alerts(given: Json) -> Json:
    """What fires and what fired, newest first."""
    found = queries.incidents(
        reading(),
        scope(),
        integration=given.get("integration"),
        open_only=given["state"] == "open",
        before=_before(given.get("cursor")),
        limit=min(given["limit"], queries.MOST),
    )
    return {"items": [_incident(each) for each in found.items], "next": found.next}


def alert(_given: Json, number: str) -> Json:
    """One of them."""
    return _incident(queries.incident(reading(), scope(), _number(number)))


def take(_given: Json, number: str) -> Json:
    """Acknowledge it; one that somebody has taken already stays theirs."""
    with transaction(reading().engine) as session:
        acknowledge(session, scope(), number=_number(number), now_us=now_us(), actor=actor())
    return _incident(queries.incident(reading(), scope(), _number(number)))


def silences(_given: Json) -> Json:
    """Those in force or to come."""
    found = queries.silences(reading(), scope())
    return {"items": [_silence(each) for each in found], "next": None}


def silence(given: Json) -> Json:
    """Tell nobody of what fits, for a time."""
    now = now_us()
    try:
        with transaction(reading().engine) as session:
            made = add_silence(
                session,
                scope(),
                rule=given.get("rule"),
                integration=given.get("integration"),
                partner=given.get("partner"),
                starts_us=given.get("starts_at", now),
                ends_us=given["ends_at"],
                comment=given["comment"],
                now_us=now,
                actor=actor(),
            )
            return _silence(silence_view(made))
    except Refused as error:
        raise BadQuery("ends_at", str(error)) from error


def unsilence(_given: Json, number: str) -> None:
    """End it now."""
    with transaction(reading().engine) as session:
        end_silence(session, scope(), number=_number(number), now_us=now_us(), actor=actor())


def rules(_given: Json) -> Json:
    """The rules that stand; for those who see every integration."""
    _check_everything()
    found, problems = standing_rules(home(), DEFAULT_RULES)
    return {
        "items": [_rule(each) for each in found],
        "problems": list(problems),
        "next": None,
    }


def write_rule(given: Json) -> Json:
    """Save a rule, with the keys of a rule file."""
    _check_everything()
    try:
        with transaction(reading().engine) as session:
            made = save_rule(session, home(), given, now_us=now_us(), actor=actor())
    except Refused as error:
        raise BadQuery("rule", str(error)) from error
    return _rule(made)


def _check_everything() -> None:
    if not scope().covers(None):
        raise NotFound("there are no rules for you to see")


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > _DIGITS:
        raise NotFound(f"there is no {text[:80]!r}")
    return int(text)


def _before(cursor: str | None) -> int | None:
    if cursor is None:
        return None
    if not cursor.isascii() or not cursor.isdigit() or len(cursor) > _DIGITS:
        raise BadQuery("cursor", "not one of ours: use `next` of the page before")
    return int(cursor)


def _incident(view: IncidentView) -> Json:
    body = asdict(view)
    for old, new in (
        ("fired_us", "fired_at"),
        ("resolved_us", "resolved_at"),
        ("acked_us", "acknowledged_at"),
    ):
        at_us = body.pop(old)
        body[new] = None if at_us is None else rendering.moment(at_us)
    body["acknowledged_by"] = body.pop("acked_by")
    body["evidence"] = json.loads(view.evidence)
    body["notifications"] = [
        {**{name: value for name, value in asdict(each).items() if name != "at_us"},
         "at": rendering.moment(each.at_us)}
        for each in view.notifications
    ]  # fmt: skip
    body["links"] = {
        "self": rendering.href("alerts", str(view.id)),
        "integration": rendering.href("integrations", view.integration)
        if view.integration
        else None,
        "page": f"/alerts?incident={view.id}",
    }
    return body


def _silence(view: SilenceView) -> Json:
    body = asdict(view)
    body["starts_at"] = rendering.moment(body.pop("starts_us"))
    body["ends_at"] = rendering.moment(body.pop("ends_us"))
    return body


def _rule(rule: Rule) -> Json:
    return {
        "name": rule.name,
        "kind": rule.kind,
        "severity": rule.severity.value,
        "by": rule.by.value,
        "description": rule.description,
        "runbook": rule.runbook or None,
        "default": rule in DEFAULT_RULES,
    }
